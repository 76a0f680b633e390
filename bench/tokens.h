#ifndef HAPAX_BENCH_TOKENS_H_
#define HAPAX_BENCH_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/random/random.h"

namespace hapax::bench {

// The length of every token: they are UUIDs.
inline constexpr size_t kTokenBytes = 36;

// The tokens of the calls of a run, one after the other.
//
// Thread-safety: none; each thread has a source of its own.
class TokenSource {
 public:
  virtual ~TokenSource() = default;

  // The next call's token, valid until the next call of Next(); empty when there are no more.
  virtual std::string_view Next() = 0;
};

// New ones, as Hapax's client library makes them, without end.
class NewTokens final : public TokenSource {
 public:
  std::string_view Next() override;

 private:
  std::string token_;
};

using TokenList = std::shared_ptr<const std::vector<std::string>>;

[[nodiscard]] TokenList MakeTokenList(size_t size);

// Each token of a list, once.
class EachToken final : public TokenSource {
 public:
  explicit EachToken(TokenList list) : list_(std::move(list)) {}

  std::string_view Next() override;

 private:
  const TokenList list_;
  size_t next_ = 0;
};

// Any token of a list, which is not empty, each as likely as every other, without end.
class AnyToken final : public TokenSource {
 public:
  explicit AnyToken(TokenList list) : list_(std::move(list)) {}

  std::string_view Next() override;

 private:
  const TokenList list_;
  absl::InsecureBitGen random_;
};

// Any of the tokens that bench_fill put into a table, each as likely as every other, without end.
class FilledTokens final : public TokenSource {
 public:
  // `tokens` is positive. Both are as bench_fill was given them.
  FilledTokens(uint64_t tokens, uint64_t seed) : tokens_(tokens), seed_(seed) {}

  std::string_view Next() override;

 private:
  const uint64_t tokens_;
  const uint64_t seed_;
  absl::InsecureBitGen random_;
  std::string token_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_TOKENS_H_
