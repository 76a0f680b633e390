#ifndef HAPAX_INTERCEPTORS_ACCESS_AUTHENTICATION_H_
#define HAPAX_INTERCEPTORS_ACCESS_AUTHENTICATION_H_

#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/principal.h"

namespace hapax {

// Whether `name` may be a tenant's: 1 to 64 of a-z A-Z 0-9 . _ - (contract section 7).
[[nodiscard]] bool IsTenantName(std::string_view name);

// Tells who calls. Thread-safety: safe; Identify must not block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Errors: UNAUTHENTICATED; INVALID_PARAMETER for metadata with a name that cannot be a tenant's.
  [[nodiscard]] virtual absl::StatusOr<Principal> Identify(const UnaryCall& call) const = 0;
  // Reads afresh what it knows callers by, for the calls that come from now on. Errors: it cannot, and why; then it
  // goes on with what it has.
  [[nodiscard]] virtual absl::Status Reload() { return absl::OkStatus(); }
};

// Believes metadata `x-tenant-id`; a caller that sends none is tenant `default`. Everybody has every role. For servers
// that only this machine can reach.
class TrustingAuthenticator final : public Authenticator {
 public:
  [[nodiscard]] absl::StatusOr<Principal> Identify(const UnaryCall& call) const override;
};

// Sets the call's principal, or ends the call.
class Authentication final : public UnaryInterceptor {
 public:
  explicit Authentication(std::unique_ptr<Authenticator> authenticator) : authenticator_(std::move(authenticator)) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  const std::unique_ptr<Authenticator> authenticator_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ACCESS_AUTHENTICATION_H_
