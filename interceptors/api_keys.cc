#include "hapax/interceptors/api_keys.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

constexpr absl::string_view kDigestPrefix = "sha256:";

absl::StatusOr<std::pair<Sha256Digest, std::string>> ParseLine(absl::string_view line) {
  const std::vector<std::string> parts = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (parts.size() != 2) return absl::InvalidArgumentError("must be \"<tenant> sha256:<64 hexadecimal digits>\"");
  if (!IsTenantName(parts[0])) {
    return absl::InvalidArgumentError("the tenant must be 1 to 64 of a-z A-Z 0-9 . _ -");
  }
  absl::string_view hex = parts[1];
  Sha256Digest digest;
  const bool is_digest = absl::ConsumePrefix(&hex, kDigestPrefix) && hex.size() == 2 * digest.size() &&
                         std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit);
  if (!is_digest) return absl::InvalidArgumentError("the key must be given as \"sha256:\" and 64 hexadecimal digits");
  const std::string bytes = absl::HexStringToBytes(hex);
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return std::pair(digest, parts[0]);
}

// The key that the call brings; empty when it brings none.
absl::StatusOr<std::string_view> KeyOf(const UnaryCall& call) {
  const UnaryCall::MetadataValues authorization = call.Metadata("authorization");
  const UnaryCall::MetadataValues api_key = call.Metadata("x-api-key");
  if (authorization.size() + api_key.size() > 1) {
    return Refuse(Reason::kUnauthenticated, "more than one credential is given; give one");
  }
  if (!api_key.empty()) return api_key.front();
  if (authorization.empty()) return std::string_view();
  absl::string_view value(authorization.front().data(), authorization.front().size());
  constexpr size_t kSchemeSize = sizeof("Bearer ") - 1;
  if (!absl::StartsWithIgnoreCase(value, "Bearer ")) {
    return Refuse(Reason::kUnauthenticated, "metadata authorization must be \"Bearer <API key>\"");
  }
  value.remove_prefix(kSchemeSize);
  return std::string_view(value.data(), value.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<ApiKeyAuthenticator>> ApiKeyAuthenticator::Parse(std::string_view text) {
  std::unique_ptr<ApiKeyAuthenticator> authenticator(new ApiKeyAuthenticator());
  int number = 0;
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    auto entry = ParseLine(line);
    if (!entry.ok()) return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", entry.status().message()));
    if (!authenticator->tenants_.insert(*std::move(entry)).second) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": the same key stands on an earlier line"));
    }
  }
  if (authenticator->tenants_.empty()) return absl::InvalidArgumentError("has no key, so that nobody could call");
  return authenticator;
}

absl::StatusOr<std::string> ApiKeyAuthenticator::TenantOf(const UnaryCall& call) const {
  const absl::StatusOr<std::string_view> key = KeyOf(call);
  if (!key.ok()) return key.status();
  if (key->empty()) {
    return Refuse(Reason::kUnauthenticated,
                  "an API key is required: metadata authorization: Bearer <API key>, or x-api-key: <API key>");
  }
  const auto tenant = tenants_.find(Sha256(*key));
  if (tenant == tenants_.end()) return Refuse(Reason::kUnauthenticated, "the API key is not known");
  return tenant->second;
}

}  // namespace hapax
