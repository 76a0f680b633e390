#ifndef HAPAX_BASE_DIGEST_H_
#define HAPAX_BASE_DIGEST_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace hapax {

// A SHA-256 digest (FIPS 180-4), 32 bytes.
using Sha256Digest = std::array<uint8_t, 32>;

[[nodiscard]] Sha256Digest Sha256(std::string_view bytes);

// HMAC-SHA-256 of the bytes under the key (RFC 2104).
[[nodiscard]] Sha256Digest HmacSha256(std::string_view key, std::string_view bytes);

}  // namespace hapax

#endif  // HAPAX_BASE_DIGEST_H_
