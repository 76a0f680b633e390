#ifndef HAPAX_INTERCEPTORS_DISPATCH_H_
#define HAPAX_INTERCEPTORS_DISPATCH_H_

#include <cstddef>
#include <memory>

#include "hapax/base/clock.h"
#include "hapax/interceptors/call_reads.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/storage/store.h"

namespace hapax {

// The last link: runs the handler of a method that has no rule. A method without side effects reads one state of the
// store; a streaming one reads a new state for each message. An idempotent method gets a transaction. A method that
// ends its call itself gets the call.
//
// A read that may be long runs on other threads (call_reads.h), since an event thread serves many connections. Errors:
// OVERLOADED when too many such reads are waiting.
class Dispatch final : public UnaryInterceptor {
 public:
  // Maximum size of a message of a stream, in bytes. A longer message ends the call with INTERNAL.
  static constexpr size_t kMaxPartBytes = size_t{64} << 10;

  // The store, which is also the one of `reads`, and the clock outlive it.
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
