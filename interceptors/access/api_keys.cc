#include "hapax/interceptors/access/api_keys.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

constexpr std::string_view kKeyPrefix = "hapax_";
constexpr size_t kMaxIdSize = 32;
constexpr size_t kMinSaltSize = 16;
constexpr size_t kMaxSaltSize = 64;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

bool IsWord(absl::string_view word, size_t least, size_t most) {
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; };
  return word.size() >= least && word.size() <= most && std::all_of(word.begin(), word.end(), allowed);
}

Sha256Digest DigestOf(std::string_view salt, std::string_view key) {
  return Sha256(absl::StrCat(View(salt), View(key)));
}

std::optional<Sha256Digest> ParseDigest(absl::string_view hex) {
  Sha256Digest digest;
  if (hex.size() != 2 * digest.size() || !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
    return std::nullopt;
  }
  const std::string bytes = absl::HexStringToBytes(hex);
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

// The key in the call's metadata; empty when there is none.
absl::StatusOr<std::string_view> KeyOf(const UnaryCall& call) {
  const UnaryCall::MetadataValues authorization = call.Metadata("authorization");
  const UnaryCall::MetadataValues api_key = call.Metadata("x-api-key");
  if (authorization.size() + api_key.size() > 1) {
    return Refuse(Reason::kUnauthenticated, "more than one credential is given; give one");
  }
  if (!api_key.empty()) return api_key.front();
  if (authorization.empty()) return std::string_view();
  std::string_view value = authorization.front();
  constexpr size_t kSchemeSize = sizeof("Bearer ") - 1;
  if (!absl::StartsWithIgnoreCase(View(value), "Bearer ")) {
    return Refuse(Reason::kUnauthenticated, "metadata authorization must be \"Bearer <API key>\"");
  }
  value.remove_prefix(kSchemeSize);
  return value;
}

}  // namespace

absl::StatusOr<ApiKeys> ApiKeys::Parse(std::string_view text) {
  ApiKeys keys;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(View(text), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    if (absl::Status added = keys.AddLine({line.data(), line.size()}); !added.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", added.message()));
    }
  }
  if (keys.entries_.empty()) return absl::InvalidArgumentError("has no key, so that nobody could call");
  return keys;
}

absl::Status ApiKeys::AddLine(std::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(View(line), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 4) return absl::InvalidArgumentError("must be \"<tenant> <role> <id> <salt>:<digest>\"");
  if (!IsTenantName({words[0].data(), words[0].size()})) {
    return absl::InvalidArgumentError("the tenant must be 1 to 64 of a-z A-Z 0-9 . _ -");
  }
  const std::optional<Role> role = RoleFromName({words[1].data(), words[1].size()});
  if (!role.has_value()) return absl::InvalidArgumentError("the role must be read, write or admin");
  if (!IsWord(words[2], 1, kMaxIdSize)) return absl::InvalidArgumentError("the id must be 1 to 32 of a-z A-Z 0-9 -");
  const std::pair<absl::string_view, absl::string_view> hash = absl::StrSplit(words[3], absl::MaxSplits(':', 1));
  const std::optional<Sha256Digest> digest = ParseDigest(hash.second);
  if (!IsWord(hash.first, kMinSaltSize, kMaxSaltSize) || !digest.has_value()) {
    return absl::InvalidArgumentError(
        "the key must be given as a salt, 16 to 64 of a-z A-Z 0-9 -, a colon, and the 64 hexadecimal digits of SHA-256 "
        "of salt and key");
  }
  Entry entry{.principal = {.tenant = std::string(words[0]), .role = *role},
              .salt = std::string(hash.first),
              .digest = *digest};
  if (!entries_.emplace(std::string(words[2]), std::move(entry)).second) {
    return absl::InvalidArgumentError("a key of the same id stands on an earlier line");
  }
  return absl::OkStatus();
}

const Principal* ApiKeys::Find(std::string_view key) const {
  if (!key.starts_with(kKeyPrefix)) return nullptr;
  const std::string_view rest = key.substr(kKeyPrefix.size());
  const auto found = entries_.find(View(rest.substr(0, rest.find('_'))));
  if (found == entries_.end()) return nullptr;
  const Entry& entry = found->second;
  const Sha256Digest digest = DigestOf(entry.salt, key);
  return CRYPTO_memcmp(digest.data(), entry.digest.data(), digest.size()) == 0 ? &entry.principal : nullptr;
}

absl::StatusOr<std::unique_ptr<ApiKeyAuthenticator>> ApiKeyAuthenticator::Create(Source source) {
  HAPAX_ASSIGN_OR_RETURN(ApiKeys keys, source());
  return std::unique_ptr<ApiKeyAuthenticator>(new ApiKeyAuthenticator(std::move(source), std::move(keys)));
}

absl::StatusOr<Principal> ApiKeyAuthenticator::Identify(const UnaryCall& call) const {
  const absl::StatusOr<std::string_view> key = KeyOf(call);
  if (!key.ok()) return key.status();
  if (key->empty()) {
    return Refuse(Reason::kUnauthenticated,
                  "an API key is required: metadata authorization: Bearer <API key>, or x-api-key: <API key>");
  }
  {
    const absl::ReaderMutexLock lock(&mu_);
    if (const Principal* principal = keys_.Find(*key)) return *principal;
  }
  return Refuse(Reason::kUnauthenticated, "the API key is not known");
}

absl::Status ApiKeyAuthenticator::Reload() {
  HAPAX_ASSIGN_OR_RETURN(ApiKeys keys, source_());
  const absl::MutexLock lock(&mu_);
  std::swap(keys_, keys);
  return absl::OkStatus();
}

}  // namespace hapax
