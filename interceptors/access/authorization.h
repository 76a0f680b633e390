#ifndef HAPAX_INTERCEPTORS_ACCESS_AUTHORIZATION_H_
#define HAPAX_INTERCEPTORS_ACCESS_AUTHORIZATION_H_

#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Lets a call pass whose principal has the role that its method takes (role.h), and ends any other with
// PERMISSION_DENIED. A client token of the wrong form is refused before that (C21).
//
// Requires: the caller is authenticated, the request decoded.
class Authorization final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next next) override;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ACCESS_AUTHORIZATION_H_
