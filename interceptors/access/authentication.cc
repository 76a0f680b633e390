#include "hapax/interceptors/access/authentication.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

constexpr std::string_view kTenantMetadata = "x-tenant-id";
constexpr std::string_view kDefaultTenant = "default";
constexpr size_t kMaxTenantLength = 64;

}  // namespace

bool IsTenantName(std::string_view name) {
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= kMaxTenantLength && std::all_of(name.begin(), name.end(), allowed);
}

absl::StatusOr<Principal> TrustingAuthenticator::Identify(const UnaryCall& call) const {
  const UnaryCall::MetadataValues values = call.Metadata(kTenantMetadata);
  if (values.empty()) return Principal{.tenant = std::string(kDefaultTenant), .role = Role::kAdmin};
  if (values.size() > 1) return RefuseParameter(kTenantMetadata, "must be given once");
  if (!IsTenantName(values.front())) return RefuseParameter(kTenantMetadata, "must be 1 to 64 of a-z A-Z 0-9 . _ -");
  return Principal{.tenant = std::string(values.front()), .role = Role::kAdmin};
}

void Authentication::Intercept(UnaryCall& call, Next next) {
  if (const Principal* const verified = call.verified_principal(); verified != nullptr) {
    call.principal = *verified;
    return next(call);
  }
  absl::StatusOr<Principal> principal = authenticator_->Identify(call);
  if (!principal.ok()) {
    call.Finish(principal.status());
    return;
  }
  call.principal = *std::move(principal);
  next(call);
}

}  // namespace hapax
