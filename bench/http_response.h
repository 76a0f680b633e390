#ifndef HAPAX_BENCH_HTTP_RESPONSE_H_
#define HAPAX_BENCH_HTTP_RESPONSE_H_

#include <cstddef>
#include <string_view>

namespace hapax::bench {

// The state of the bytes received on a connection so far.
struct HttpResponse {
  enum class State {
    kIncomplete,  // The beginning of a response.
    kComplete,    // One response.
    kMalformed,   // Not HTTP/1.1, without a length, or followed by unexpected bytes.
  };
  State state = State::kIncomplete;
  int status = 0;         // For example 200; set once complete.
  size_t body_bytes = 0;  // Body bytes once complete, without the framing of chunks.
};

// Parses a response, not to HEAD, with a Content-Length or in chunks (RFC 9112, sections 6 and 7).
[[nodiscard]] HttpResponse ParseHttpResponse(std::string_view bytes);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_HTTP_RESPONSE_H_
