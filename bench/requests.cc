#include "hapax/bench/requests.h"

#include <cstring>
#include <utility>

namespace hapax::bench {

RequestTemplate::RequestTemplate(std::string bytes) : bytes_(std::move(bytes)), token_at_(bytes_.find(kPlaceholder)) {}

void RequestTemplate::Write(std::string_view token, char* to) const {
  std::memcpy(to, bytes_.data(), bytes_.size());
  if (has_token()) std::memcpy(to + token_at_, token.data(), token.size());
}

bool Requests::Next() {
  if (tokens_ == nullptr) return true;
  token_ = tokens_->Next();
  return !token_.empty();
}

}  // namespace hapax::bench
