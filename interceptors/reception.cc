#include "hapax/interceptors/reception.h"

namespace hapax {

void Reception::Intercept(UnaryCall& call, Next next) {
  call.ReceiveRequest([&call, next] { call.InTurn(call.context.tenant, [&call, next] { next(call); }); });
}

}  // namespace hapax
