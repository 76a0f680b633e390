#include "hapax/bench/tokens.h"

#include "absl/random/uniform_int_distribution.h"
#include "absl/time/clock.h"
#include "hapax/bench/filled_token.h"
#include "hapax/client/call/client_token.h"

namespace hapax::bench {

std::string_view NewTokens::Next() {
  token_ = client::NewClientToken(absl::Now());
  return token_;
}

TokenList MakeTokenList(size_t size) {
  NewTokens tokens;
  std::vector<std::string> list;
  list.reserve(size);
  for (size_t i = 0; i < size; ++i) list.emplace_back(tokens.Next());
  return std::make_shared<const std::vector<std::string>>(std::move(list));
}

std::string_view EachToken::Next() { return next_ < list_->size() ? (*list_)[next_++] : std::string_view(); }

std::string_view AnyToken::Next() {
  return (*list_)[absl::uniform_int_distribution<size_t>(0, list_->size() - 1)(random_)];
}

std::string_view FilledTokens::Next() {
  const uint64_t index = absl::uniform_int_distribution<uint64_t>(0, tokens_ - 1)(random_);
  token_ = FilledToken::At(seed_, index).ToString();
  return token_;
}

}  // namespace hapax::bench
