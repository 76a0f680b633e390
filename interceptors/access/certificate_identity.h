#ifndef HAPAX_INTERCEPTORS_ACCESS_CERTIFICATE_IDENTITY_H_
#define HAPAX_INTERCEPTORS_ACCESS_CERTIFICATE_IDENTITY_H_

#include "absl/status/statusor.h"
#include "hapax/interceptors/access/authentication.h"

namespace hapax {

// Knows callers by the client certificates of their connections, which the handshake has verified. The principal is
//   - of the one URI of scheme spiffe among the subject alternative names,
//     `spiffe://TRUST_DOMAIN/tenant/NAME` or `spiffe://TRUST_DOMAIN/tenant/NAME/role/ROLE`,
//   - or, when there is none, of the subject's first common name, which is the tenant's.
// Without a role it is `write`. The trust domain may be any: whom to believe is what the CA file says. Two URIs of that
// scheme are refused, as SPIFFE's X.509-SVID (section 2) demands.
//
// Thread-safety: safe; it keeps nothing.
class CertificateAuthenticator final : public Authenticator {
 public:
  // Errors: UNAUTHENTICATED, with the rule that the certificate breaks; it does not repeat its names.
  [[nodiscard]] absl::StatusOr<Principal> Identify(const UnaryCall& call) const override;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ACCESS_CERTIFICATE_IDENTITY_H_
