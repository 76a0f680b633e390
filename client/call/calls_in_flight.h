#ifndef HAPAX_CLIENT_CALL_CALLS_IN_FLIGHT_H_
#define HAPAX_CLIENT_CALL_CALLS_IN_FLIGHT_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "hapax/client/call/call_handle.h"
#include "hapax/client/wire/fork.h"

namespace hapax::client {

// The asynchronous calls of one object that have not ended, so that it can end them when it goes.
//
// Thread-safety: safe.
class CallsInFlight {
 public:
  CallsInFlight();
  // Cancels all calls, and returns when their callbacks have. In a forked child it leaves them: they are the parent's.
  // Requires: it is not in a callback of such a call, which would wait for itself.
  ~CallsInFlight();
  CallsInFlight(const CallsInFlight&) = delete;
  CallsInFlight& operator=(const CallsInFlight&) = delete;

  // A call has a number before it is made, so that what is to end it knows the number.
  [[nodiscard]] uint64_t NewNumber();
  void Add(uint64_t number, std::shared_ptr<CancellableCall> call);
  // Runs the call's callback, and then forgets the call. Called once for each that was added, or is about to be.
  void Conclude(uint64_t number, absl::FunctionRef<void()> callback);

 private:
  struct State;
  const OwningProcess process_;
  std::unique_ptr<State> state_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALLS_IN_FLIGHT_H_
