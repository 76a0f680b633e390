#ifndef HAPAX_BENCH_HTTP_RESPONSE_H_
#define HAPAX_BENCH_HTTP_RESPONSE_H_

#include <cstddef>
#include <string_view>

namespace hapax::bench {

// What the bytes that came over a connection so far are.
struct HttpResponse {
  enum class State {
    kIncomplete,  // The beginning of a response.
    kComplete,    // One response.
    kMalformed,   // Neither: no HTTP/1.1, without a length, or followed by something that nobody asked for.
  };
  State state = State::kIncomplete;
  int status = 0;         // Such as 200, once it is complete.
  size_t body_bytes = 0;  // Of its body, once it is complete, without the framing of chunks.
};

// Reads a response to a request that is not HEAD, with a Content-Length or in chunks (RFC 9112, sections 6 and 7).
[[nodiscard]] HttpResponse ParseHttpResponse(std::string_view bytes);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_HTTP_RESPONSE_H_
