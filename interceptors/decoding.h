#ifndef HAPAX_INTERCEPTORS_DECODING_H_
#define HAPAX_INTERCEPTORS_DECODING_H_

#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Parses the request's bytes. Refuses with INVALID_PARAMETER what is not a serialized request.
class Decoding final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next next) override;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_DECODING_H_
