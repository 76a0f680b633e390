#ifndef HAPAX_INTERCEPTORS_RECEPTION_H_
#define HAPAX_INTERCEPTORS_RECEPTION_H_

#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Has the request read, of a call whose caller is known and admitted. The links before it see the call's metadata
// alone.
//
// Those that have their requests go on in turns of their tenants: what comes after costs more than all before, so a
// long backlog of one tenant delays another's call by at most one of its own at a time.
class Reception final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next next) override;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_RECEPTION_H_
