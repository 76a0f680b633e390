#ifndef HAPAX_TESTS_SUPPORT_TOKEN_MADE_AT_H_
#define HAPAX_TESTS_SUPPORT_TOKEN_MADE_AT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace hapax {

// A client token that states when it was made, to the millisecond: a UUID of version 7 (RFC 9562, section 5.7). Each
// `number` below 10,000 makes a different token.
[[nodiscard]] inline std::string TokenMadeAt(absl::Time made, int number = 0) {
  const auto millis = static_cast<uint64_t>(absl::ToUnixMillis(made));
  return absl::StrFormat("%08x-%04x-7abc-9def-00000000%04d", millis >> 16, millis & 0xFFFF, number);
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_TOKEN_MADE_AT_H_
