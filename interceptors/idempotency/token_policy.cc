#include "hapax/interceptors/idempotency/token_policy.h"

#include <cstdint>

#include "absl/strings/ascii.h"

namespace hapax {

std::optional<absl::Time> TimeOfToken(std::string_view token) {
  constexpr std::string_view kForm = "tttttttt-tttt-7xxx-vxxx-xxxxxxxxxxxx";
  if (token.size() != kForm.size()) return std::nullopt;
  int64_t millis = 0;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const char digit = absl::ascii_tolower(static_cast<unsigned char>(token[i]));
    switch (kForm[i]) {
      case 'v':  // The variant: two bits, 10.
        if (digit != '8' && digit != '9' && digit != 'a' && digit != 'b') return std::nullopt;
        break;
      case 'x':
      case 't':
        if (!absl::ascii_isxdigit(static_cast<unsigned char>(digit))) return std::nullopt;
        if (kForm[i] == 't') millis = millis * 16 + (digit <= '9' ? digit - '0' : digit - 'a' + 10);
        break;
      default:
        if (digit != kForm[i]) return std::nullopt;
    }
  }
  return absl::FromUnixMillis(millis);
}

}  // namespace hapax
