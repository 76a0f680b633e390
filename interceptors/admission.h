#ifndef HAPAX_INTERCEPTORS_ADMISSION_H_
#define HAPAX_INTERCEPTORS_ADMISSION_H_

#include <atomic>

#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Bounds the calls in flight: one more is refused at once with OVERLOADED, before any effect.
class Admission final : public UnaryInterceptor {
 public:
  explicit Admission(int max_in_flight) : max_in_flight_(max_in_flight) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  const int max_in_flight_;
  std::atomic<int> in_flight_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ADMISSION_H_
