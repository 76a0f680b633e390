#ifndef HAPAX_BENCH_REQUESTS_H_
#define HAPAX_BENCH_REQUESTS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "hapax/bench/tokens.h"

namespace hapax::bench {

// The bytes of every request of a run, which differ only in the token. They are made once; a request is a copy with its
// token written over the placeholder.
class RequestTemplate {
 public:
  // Marks the token's place, exactly once; absent in requests without a token.
  static constexpr std::string_view kPlaceholder = "########-####-####-####-############";
  static_assert(kPlaceholder.size() == kTokenBytes);

  explicit RequestTemplate(std::string bytes);

  [[nodiscard]] size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool has_token() const { return token_at_ != std::string::npos; }

  // Writes a request of size() bytes. `token` has kTokenBytes; without a placeholder it is not written.
  void Write(std::string_view token, char* to) const;

 private:
  const std::string bytes_;
  const size_t token_at_;
};

// The requests of a run, in order.
//
// Thread-safety: none; each thread has its own.
// Lifetime: the template outlives it.
class Requests {
 public:
  // Without tokens (nullptr) there is no last request.
  Requests(const RequestTemplate& bytes, std::unique_ptr<TokenSource> tokens)
      : template_(bytes), tokens_(std::move(tokens)) {}

  [[nodiscard]] bool has_token() const { return template_.has_token(); }
  // The size of each request in bytes.
  [[nodiscard]] size_t size() const { return template_.size(); }

  // Chooses the next request; returns false if there are no more.
  bool Next();

  // Writes the chosen request, of size() bytes.
  void Write(char* to) const { template_.Write(token_, to); }

 private:
  const RequestTemplate& template_;
  const std::unique_ptr<TokenSource> tokens_;
  std::string_view token_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_REQUESTS_H_
