#ifndef HAPAX_INTERCEPTORS_ACCESS_CERTIFICATE_IDENTITY_H_
#define HAPAX_INTERCEPTORS_ACCESS_CERTIFICATE_IDENTITY_H_

#include "absl/status/statusor.h"
#include "hapax/interceptors/access/authentication.h"

namespace hapax {

// Identifies callers by the client certificates of their connections, which the handshake has verified. The principal
// comes from
//
//   - the one URI with scheme spiffe among the subject alternative names,
//     `spiffe://TRUST_DOMAIN/tenant/NAME` or `spiffe://TRUST_DOMAIN/tenant/NAME/role/ROLE`;
//   - or, without such a URI, the subject's first common name, which is the tenant's name.
//
// The default role is `write`. Any trust domain is accepted: the CA file decides whom to believe. Two URIs with that
// scheme are refused, as SPIFFE's X.509-SVID (section 2) demands.
//
// Thread-safety: safe; it has no state.
class CertificateAuthenticator final : public Authenticator {
 public:
  // Errors: UNAUTHENTICATED, with the rule that the certificate breaks. The message does not repeat the certificate's
  // names.
  [[nodiscard]] absl::StatusOr<Principal> Identify(const UnaryCall& call) const override;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ACCESS_CERTIFICATE_IDENTITY_H_
