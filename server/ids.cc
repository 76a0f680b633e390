#include "hapax/server/ids.h"

#include <openssl/rand.h>

#include <array>

#include "absl/strings/escaping.h"
#include "hapax/storage/check.h"

namespace hapax {
namespace {

constexpr size_t kHexDigits = 17;

}  // namespace

std::string RandomIdSource::NewId(std::string_view prefix) {
  std::array<unsigned char, (kHexDigits + 1) / 2> bytes;
  HAPAX_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "the system has a random generator");
  std::string hex = absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  hex.resize(kHexDigits);
  return std::string(prefix) + "-" + hex;
}

}  // namespace hapax
