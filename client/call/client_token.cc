#include "hapax/client/call/client_token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hapax::client {
namespace {

constexpr size_t kMaxTokenBytes = 64;
constexpr size_t kUuidBytes = 16;
// The namespace of parent tokens that are not UUIDs: a random value made for this purpose.
constexpr std::string_view kTokenNamespace = "\x5d\x8b\x0c\x1f\x2e\x4a\x4d\x67\x9b\x3e\x61\xc4\xf0\x7a\x92\xd8";

bool CanBeInToken(char c) { return c > ' ' && c <= '~'; }

// Returns 16 bytes, or empty if the text is not a UUID.
std::string BytesOfUuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return "";
  std::string hex;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool is_digit = absl::ascii_isxdigit(static_cast<unsigned char>(text[i]));
    if (kForm[i] == '-' ? text[i] != '-' : !is_digit) return "";
    if (is_digit) hex.push_back(text[i]);
  }
  return absl::HexStringToBytes(hex);
}

// Returns a UUID of version 5, as 16 bytes.
std::string HashedUuid(std::string_view name_space, std::string_view name) {
  const std::string hashed = std::string(name_space) + std::string(name);
  std::string uuid(EVP_MAX_MD_SIZE, '\0');
  EVP_Digest(hashed.data(), hashed.size(), reinterpret_cast<unsigned char*>(uuid.data()), nullptr, EVP_sha1(), nullptr);
  uuid.resize(kUuidBytes);
  uuid[6] = static_cast<char>((uuid[6] & 0x0F) | 0x50);
  uuid[8] = static_cast<char>((uuid[8] & 0x3F) | 0x80);
  return uuid;
}

std::string FormatUuid(std::string_view bytes) {
  const std::string hex = absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20));
}

// Fills in random bytes that no other process gets, not even a forked one.
void FillRandom(unsigned char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t got = getrandom(bytes, size, /*flags=*/0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    bytes += got;
    size -= static_cast<size_t>(got);
  }
  // The fallback for kernels without this call and sandboxes that forbid it. OpenSSL's generator detects forks.
  if (size == 0 || RAND_bytes(bytes, static_cast<int>(size)) == 1) return;
  std::fprintf(stderr, "hapax: there is no source of random bytes for a client token\n");
  std::abort();
}

}  // namespace

bool IsClientToken(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTokenBytes && std::all_of(text.begin(), text.end(), CanBeInToken);
}

absl::Status CheckClientToken(std::string_view field, std::string_view token) {
  if (IsClientToken(token)) return absl::OkStatus();
  std::string wrong = absl::StrCat("has ", token.size());
  if (!token.empty() && token.size() <= kMaxTokenBytes) {
    const auto* const bad = std::find_if_not(token.begin(), token.end(), CanBeInToken);
    wrong = absl::StrFormat("has 0x%02X at character %d", static_cast<unsigned char>(*bad), bad - token.begin() + 1);
  }
  return absl::InvalidArgumentError(absl::StrCat(absl::string_view(field.data(), field.size()),
                                                 ": a client token has 1 to 64 characters 0x21-0x7E; this one ",
                                                 wrong));
}

std::string NewClientToken(absl::Time now) {
  constexpr uint64_t kMask48 = (uint64_t{1} << 48) - 1;
  std::array<uint64_t, 2> random;
  FillRandom(reinterpret_cast<unsigned char*>(random.data()), sizeof(random));
  const uint64_t millis = static_cast<uint64_t>(absl::ToUnixMillis(now)) & kMask48;
  const uint64_t version_and_a = 0x7000 | (random[0] & 0xFFF);
  const uint64_t variant_and_b = 0x8000 | (random[0] >> 12 & 0x3FFF);
  const uint64_t rest_of_b = random[1] & kMask48;
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", millis >> 16, millis & 0xFFFF, version_and_a, variant_and_b,
                         rest_of_b);
}

std::string ChildToken(std::string_view parent, std::string_view step) {
  std::string parent_uuid = BytesOfUuid(parent);
  if (parent_uuid.empty()) parent_uuid = HashedUuid(kTokenNamespace, parent);
  return FormatUuid(HashedUuid(parent_uuid, step));
}

}  // namespace hapax::client
