#ifndef HAPAX_INTERCEPTORS_AUTHENTICATION_H_
#define HAPAX_INTERCEPTORS_AUTHENTICATION_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Whether `name` may be a tenant's: 1 to 64 of a-z A-Z 0-9 . _ - (contract section 7).
[[nodiscard]] bool IsTenantName(std::string_view name);

// Tells who calls. Thread-safety: safe; must not block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // The tenant of the caller. Errors: UNAUTHENTICATED; INVALID_PARAMETER for a name that cannot be a tenant's.
  [[nodiscard]] virtual absl::StatusOr<std::string> TenantOf(const UnaryCall& call) const = 0;
};

// Believes metadata `x-tenant-id`; a caller that sends none is tenant `default`. For servers that only this
// machine can reach.
class TrustingAuthenticator final : public Authenticator {
 public:
  [[nodiscard]] absl::StatusOr<std::string> TenantOf(const UnaryCall& call) const override;
};

// Sets the call's tenant, or ends the call.
class Authentication final : public UnaryInterceptor {
 public:
  explicit Authentication(std::unique_ptr<Authenticator> authenticator) : authenticator_(std::move(authenticator)) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  const std::unique_ptr<Authenticator> authenticator_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_AUTHENTICATION_H_
