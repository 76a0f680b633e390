#ifndef HAPAX_INTERCEPTORS_ACCESS_AUTHORIZATION_H_
#define HAPAX_INTERCEPTORS_ACCESS_AUTHORIZATION_H_

#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Passes a call on when its principal has the role that the method requires (role.h). Ends any other call with
// PERMISSION_DENIED. A malformed client token is refused first (C21).
//
// Requires: the caller is authenticated, the request decoded.
class Authorization final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next next) override;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ACCESS_AUTHORIZATION_H_
