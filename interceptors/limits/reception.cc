#include "hapax/interceptors/limits/reception.h"

namespace hapax {

void Reception::Intercept(UnaryCall& call, Next next) {
  if (budget_.TryReserve()) return call.ReceiveRequest([&call, next] { next(call); });
  budget_.Reserve(call.principal.tenant, [this, &call, next] {
    call.ReceiveRequest([this, &call, next] {
      budget_.Uncount(call.principal.tenant);
      next(call);
    });
  });
}

}  // namespace hapax
