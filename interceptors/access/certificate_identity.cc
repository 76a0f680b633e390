#include "hapax/interceptors/access/certificate_identity.h"

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::string_view kTenantSegment = "/tenant/";
constexpr std::string_view kRoleSegment = "/role/";
constexpr Role kDefaultRole = Role::kWrite;

absl::Status Malformed(std::string_view rule) {
  return Refuse(Reason::kUnauthenticated, "the client certificate names no principal: " + std::string(rule));
}

bool HasScheme(std::string_view uri) {
  return absl::StartsWithIgnoreCase({uri.data(), uri.size()}, {kScheme.data(), kScheme.size()});
}

absl::StatusOr<Principal> PrincipalOfUri(std::string_view uri) {
  constexpr std::string_view kForm =
      "its SPIFFE ID must be spiffe://TRUST_DOMAIN/tenant/NAME or spiffe://TRUST_DOMAIN/tenant/NAME/role/ROLE, with a "
      "NAME of 1 to 64 of a-z A-Z 0-9 . _ - and a ROLE of read, write or admin";
  std::string_view rest = uri.substr(kScheme.size());
  const size_t path = rest.find('/');
  if (path == 0 || path == std::string_view::npos) return Malformed(kForm);
  rest.remove_prefix(path);
  if (!rest.starts_with(kTenantSegment)) return Malformed(kForm);
  rest.remove_prefix(kTenantSegment.size());
  const std::string_view tenant = rest.substr(0, rest.find('/'));
  if (!IsTenantName(tenant)) return Malformed(kForm);
  rest.remove_prefix(tenant.size());
  if (rest.empty()) return Principal{.tenant = std::string(tenant), .role = kDefaultRole};
  if (!rest.starts_with(kRoleSegment)) return Malformed(kForm);
  const std::optional<Role> role = RoleFromName(rest.substr(kRoleSegment.size()));
  if (!role.has_value()) return Malformed(kForm);
  return Principal{.tenant = std::string(tenant), .role = *role};
}

}  // namespace

absl::StatusOr<Principal> CertificateAuthenticator::Identify(const UnaryCall& call) const {
  const PeerNames names = call.peer_names();
  std::optional<std::string_view> spiffe_id;
  for (const std::string_view uri : names.uris) {
    if (!HasScheme(uri)) continue;
    if (spiffe_id.has_value()) return Malformed("it has more than one SPIFFE ID");
    spiffe_id = uri;
  }
  if (spiffe_id.has_value()) return PrincipalOfUri(*spiffe_id);
  if (!IsTenantName(names.common_name)) {
    return Malformed("without a SPIFFE ID its subject must have a common name of 1 to 64 of a-z A-Z 0-9 . _ -");
  }
  return Principal{.tenant = std::string(names.common_name), .role = kDefaultRole};
}

}  // namespace hapax
