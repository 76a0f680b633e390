#ifndef HAPAX_INTERCEPTORS_LIMITS_ADMISSION_H_
#define HAPAX_INTERCEPTORS_LIMITS_ADMISSION_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/tenant_gate.h"

namespace hapax {

// Admits calls through the gates of the server and the tenant. A call above a limit is refused at once, before its
// request is read.
class Admission final : public UnaryInterceptor {
 public:
  // Both outlive it.
  Admission(CallGate& gate, TenantGate& tenant_gate) : gate_(gate), tenant_gate_(tenant_gate) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  CallGate& gate_;
  TenantGate& tenant_gate_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_ADMISSION_H_
