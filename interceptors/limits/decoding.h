#ifndef HAPAX_INTERCEPTORS_LIMITS_DECODING_H_
#define HAPAX_INTERCEPTORS_LIMITS_DECODING_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/request_limits.h"

namespace hapax {

// Parses the request's bytes. Refuses with INVALID_PARAMETER what is not a serialized request, and, before it is
// parsed, what has more in it than these limits and those of the method's rule allow.
class Decoding final : public UnaryInterceptor {
 public:
  explicit Decoding(const RequestLimits& limits = {}) : limits_(limits) {}

  void Intercept(UnaryCall& call, Next next) override;

 private:
  const RequestLimits limits_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_DECODING_H_
