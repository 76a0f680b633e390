#ifndef HAPAX_INTERCEPTORS_DISPATCH_H_
#define HAPAX_INTERCEPTORS_DISPATCH_H_

#include <string>
#include <utility>

#include "hapax/interceptors/interceptor.h"
#include "hapax/storage/clock.h"
#include "hapax/storage/store.h"

namespace hapax {

// The last link: runs the handler of a method that needs no rule. One without side effects reads one state of
// the store; one that is idempotent by its nature has a transaction; one that answers in its own time has the call.
class Dispatch final : public UnaryInterceptor {
 public:
  // Store and clock outlive it. `page_token_key`: CallContext's.
  Dispatch(Store& store, const Clock& clock, std::string page_token_key)
      : store_(store), clock_(clock), page_token_key_(std::move(page_token_key)) {}
  // Requires: the method has no rule.
  void Intercept(UnaryCall& call, Next next) override;

 private:
  Store& store_;
  const Clock& clock_;
  const std::string page_token_key_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_DISPATCH_H_
