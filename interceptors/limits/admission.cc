#include "hapax/interceptors/limits/admission.h"

#include <utility>

namespace hapax {

void Admission::Intercept(UnaryCall& call, Next next) {
  if (absl::Status status = gate_.TryEnter(); !status.ok()) return call.Finish(std::move(status));
  const absl::StatusOr<TenantGate::Place*> place = tenant_gate_.TryEnter(call.principal.tenant);
  if (!place.ok()) {
    gate_.Leave();
    return call.Finish(place.status());
  }
  call.OnFinish([this, place = *place](UnaryCall&, const absl::StatusOr<std::string>&) {
    tenant_gate_.Leave(*place);
    gate_.Leave();
  });
  next(call);
}

}  // namespace hapax
