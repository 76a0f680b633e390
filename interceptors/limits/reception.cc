#include "hapax/interceptors/limits/reception.h"

namespace hapax {

void Reception::Intercept(UnaryCall& call, Next next) {
  if (budget_.TryReserve()) return call.ReceiveRequest([&call, next] { next(call); });
  budget_.Reserve(call.context.tenant, [this, &call, next] {
    call.ReceiveRequest([this, &call, next] {
      budget_.Uncount(call.context.tenant);
      next(call);
    });
  });
}

}  // namespace hapax
