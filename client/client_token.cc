#include "hapax/client/client_token.h"

#include <cstdint>

#include "absl/random/uniform_int_distribution.h"
#include "absl/strings/str_format.h"

namespace hapax {

std::string NewClientToken(absl::Time now, absl::BitGenRef random) {
  constexpr uint64_t kMask48 = (uint64_t{1} << 48) - 1;
  const uint64_t millis = static_cast<uint64_t>(absl::ToUnixMillis(now)) & kMask48;
  const uint64_t version_and_a = 0x7000 | absl::uniform_int_distribution<uint64_t>(0, 0xFFF)(random);
  const uint64_t variant_and_b = 0x8000 | absl::uniform_int_distribution<uint64_t>(0, 0x3FFF)(random);
  const uint64_t rest_of_b = absl::uniform_int_distribution<uint64_t>(0, kMask48)(random);
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", millis >> 16, millis & 0xFFFF, version_and_a, variant_and_b,
                         rest_of_b);
}

}  // namespace hapax
