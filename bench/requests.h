#ifndef HAPAX_BENCH_REQUESTS_H_
#define HAPAX_BENCH_REQUESTS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "hapax/bench/tokens.h"

namespace hapax::bench {

// The bytes of every request of a run: the same ones, but for the token. They are made once; a request is a copy of
// them with its token written over the placeholder.
class RequestTemplate {
 public:
  // Stands where the token will be, exactly once; or not at all, for requests without a token.
  static constexpr std::string_view kPlaceholder = "########-####-####-####-############";
  static_assert(kPlaceholder.size() == kTokenBytes);

  explicit RequestTemplate(std::string bytes);

  [[nodiscard]] size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool has_token() const { return token_at_ != std::string::npos; }

  // Writes a request, of size() bytes. The token, of kTokenBytes, goes nowhere when it has none.
  void Write(std::string_view token, char* to) const;

 private:
  const std::string bytes_;
  const size_t token_at_;
};

// The requests of a run, one after the other.
//
// Thread-safety: none; each thread has one of its own. Lifetime: of the template, which it borrows.
class Requests {
 public:
  // Without tokens (nullptr) the requests have no end.
  Requests(const RequestTemplate& bytes, std::unique_ptr<TokenSource> tokens)
      : template_(bytes), tokens_(std::move(tokens)) {}

  [[nodiscard]] bool has_token() const { return template_.has_token(); }
  // Of each request, in bytes.
  [[nodiscard]] size_t size() const { return template_.size(); }

  // Decides on the next request; false when there are no more.
  bool Next();

  // Writes the request that Next() decided on, of size() bytes.
  void Write(char* to) const { template_.Write(token_, to); }

 private:
  const RequestTemplate& template_;
  const std::unique_ptr<TokenSource> tokens_;
  std::string_view token_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_REQUESTS_H_
