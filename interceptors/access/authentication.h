#ifndef HAPAX_INTERCEPTORS_ACCESS_AUTHENTICATION_H_
#define HAPAX_INTERCEPTORS_ACCESS_AUTHENTICATION_H_

#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/principal.h"

namespace hapax {

// Whether `name` is a valid tenant name: 1 to 64 of a-z A-Z 0-9 . _ - (contract section 7).
[[nodiscard]] bool IsTenantName(std::string_view name);

// Identifies callers. Thread-safety: safe; Identify must not block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Errors: UNAUTHENTICATED; INVALID_PARAMETER for metadata with an invalid tenant name.
  [[nodiscard]] virtual absl::StatusOr<Principal> Identify(const UnaryCall& call) const = 0;
  // Reads keys or other credentials anew, for the calls from now on. On an error it keeps what it had.
  [[nodiscard]] virtual absl::Status Reload() { return absl::OkStatus(); }
};

// Believes metadata `x-tenant-id`; without it the tenant is `default`. Everyone has every role. For servers that only
// this machine can reach.
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
