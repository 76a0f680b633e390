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

// The length of every token; all are UUIDs.
inline constexpr size_t kTokenBytes = 36;

// The tokens of a run's calls, in order.
//
// Thread-safety: none; each thread has its own.
class TokenSource {
 public:
  virtual ~TokenSource() = default;

  // The next call's token, valid until the following Next(); empty if there are no more.
  virtual std::string_view Next() = 0;
};

// New tokens, as Hapax's client library makes them, without end.
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

// Random tokens of a non-empty list, uniformly distributed, without end.
class AnyToken final : public TokenSource {
 public:
  explicit AnyToken(TokenList list) : list_(std::move(list)) {}

  std::string_view Next() override;

 private:
  const TokenList list_;
  absl::InsecureBitGen random_;
};

// Random tokens of a table filled by bench_fill, uniformly distributed, without end.
class FilledTokens final : public TokenSource {
 public:
  // `tokens` is positive. Both arguments are those of bench_fill.
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
