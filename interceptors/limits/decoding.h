#ifndef HAPAX_INTERCEPTORS_LIMITS_DECODING_H_
#define HAPAX_INTERCEPTORS_LIMITS_DECODING_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/request_limits.h"

namespace hapax {

// Parses the request's bytes. Refuses bytes that are not a serialized request with INVALID_PARAMETER. A request that
// exceeds these limits, or those of the method's rule, is refused the same way before it is parsed.
class Decoding final : public UnaryInterceptor {
 public:
  explicit Decoding(const RequestLimits& limits = {}) : limits_(limits) {}

  void Intercept(UnaryCall& call, Next next) override;

 private:
  const RequestLimits limits_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_DECODING_H_
