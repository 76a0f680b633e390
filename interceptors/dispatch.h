#ifndef HAPAX_INTERCEPTORS_DISPATCH_H_
#define HAPAX_INTERCEPTORS_DISPATCH_H_

#include <cstddef>
#include <memory>

#include "hapax/base/clock.h"
#include "hapax/interceptors/call_reads.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/storage/store.h"

namespace hapax {

// The last link: runs the handler of a method that needs no rule. One without side effects reads one state of
// the store, or for each message of a stream one; one that is idempotent by its nature has a transaction; one that
// answers in its own time has the call.
//
// A read that may be long runs on other threads (call_reads.h), since an event thread serves many connections. Errors:
// OVERLOADED when too many such reads wait.
class Dispatch final : public UnaryInterceptor {
 public:
  // The longest message of a stream, in bytes. A longer one ends the call with INTERNAL.
  static constexpr size_t kMaxPartBytes = size_t{64} << 10;

  // Store, which `reads` reads, and clock outlive it.
  Dispatch(Store& store, CallReads reads, const Clock& clock) : store_(store), reads_(reads), clock_(clock) {}
  // Requires: the method has no rule.
  void Intercept(UnaryCall& call, Next next) override;

 private:
  struct Stream;

  void Read(UnaryCall& call) const;
  void SendNext(std::shared_ptr<Stream> stream) const;
  void Mutate(UnaryCall& call);

  Store& store_;
  const CallReads reads_;
  const Clock& clock_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_DISPATCH_H_
