#ifndef HAPAX_INTERCEPTORS_READING_H_
#define HAPAX_INTERCEPTORS_READING_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/storage/store.h"

namespace hapax {

// The last link: runs the handler of a method without side effects, on one state of the store.
class Reading final : public UnaryInterceptor {
 public:
  // `store` outlives it.
  explicit Reading(Store& store) : store_(store) {}
  // Requires: the method has no rule.
  void Intercept(UnaryCall& call, Next next) override;

 private:
  Store& store_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_READING_H_
