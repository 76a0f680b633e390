#ifndef HAPAX_INTERCEPTORS_ADMISSION_H_
#define HAPAX_INTERCEPTORS_ADMISSION_H_

#include "hapax/interceptors/call_gate.h"
#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Takes calls through a gate, so that one too many is refused at once, before any effect.
class Admission final : public UnaryInterceptor {
 public:
  // `gate` outlives it.
  explicit Admission(CallGate& gate) : gate_(gate) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  CallGate& gate_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ADMISSION_H_
