#ifndef HAPAX_INTERCEPTORS_API_KEYS_H_
#define HAPAX_INTERCEPTORS_API_KEYS_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "hapax/interceptors/authentication.h"
#include "hapax/interceptors/digest.h"

namespace hapax {

// Knows callers by API keys, of which it holds only the digests. A key comes as metadata
// `authorization: Bearer KEY` or `x-api-key: KEY`. A tenant may have several, so that keys can be
// rotated: tokens belong to the tenant, not to the key (C4).
//
// A key file has one key a line, `<tenant> sha256:<64 hexadecimal digits>`; blank lines and lines that
// begin with # do not count. A key is looked up by its digest, so the time that takes tells nothing of
// the keys. Keys are to be long and random: the digest is not salted.
class ApiKeyAuthenticator final : public Authenticator {
 public:
  // Errors: INVALID_ARGUMENT with the line that is wrong, or when there is no key at all.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ApiKeyAuthenticator>> Parse(std::string_view text);

  // Errors: UNAUTHENTICATED.
  [[nodiscard]] absl::StatusOr<std::string> TenantOf(const UnaryCall& call) const override;

 private:
  ApiKeyAuthenticator() = default;

  absl::flat_hash_map<Sha256Digest, std::string> tenants_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_API_KEYS_H_
