#include "hapax/interceptors/authentication.h"

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

absl::StatusOr<std::string> TrustingAuthenticator::TenantOf(const UnaryCall& call) const {
  const UnaryCall::MetadataValues values = call.Metadata(kTenantMetadata);
  if (values.empty()) return std::string(kDefaultTenant);
  if (values.size() > 1) return RefuseParameter(kTenantMetadata, "must be given once");
  if (!IsTenantName(values.front())) return RefuseParameter(kTenantMetadata, "must be 1 to 64 of a-z A-Z 0-9 . _ -");
  return std::string(values.front());
}

void Authentication::Intercept(UnaryCall& call, Next next) {
  absl::StatusOr<std::string> tenant = authenticator_->TenantOf(call);
  if (!tenant.ok()) {
    call.Finish(tenant.status());
    return;
  }
  call.context.tenant = *std::move(tenant);
  next(call);
}

}  // namespace hapax
