#ifndef HAPAX_BENCH_FILLED_TOKEN_H_
#define HAPAX_BENCH_FILLED_TOKEN_H_

#include <compare>
#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"

namespace hapax::bench {

// A client token of a filled table (fill.cc): a UUID of version 4 computed from the table's seed and its index. So a
// load can use any of them without storing them. They compare like their texts.
struct FilledToken {
  uint64_t high = 0;
  uint64_t low = 0;

  friend auto operator<=>(const FilledToken&, const FilledToken&) = default;

  [[nodiscard]] static FilledToken At(uint64_t seed, uint64_t index) {
    FilledToken token{.high = Mix(seed ^ Mix(2 * index)), .low = Mix(seed ^ Mix(2 * index + 1))};
    token.high = (token.high & ~uint64_t{0xF000}) | 0x4000;              // Version 4 (RFC 9562, section 5.4).
    token.low = (token.low & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;  // The variant: two bits, 10.
    return token;
  }

  [[nodiscard]] std::string ToString() const {
    return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF, low >> 48,
                           low & 0xFFFF'FFFF'FFFF);
  }

 private:
  // The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection in which every output bit depends on
  // every input bit.
  static uint64_t Mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_FILLED_TOKEN_H_
