#ifndef HAPAX_CLIENT_CALL_CALLS_IN_FLIGHT_H_
#define HAPAX_CLIENT_CALL_CALLS_IN_FLIGHT_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "hapax/client/call/call_handle.h"
#include "hapax/client/wire/fork.h"

namespace hapax::client {

// The unfinished asynchronous calls of one object. Its destructor ends them.
//
// Thread-safety: safe.
class CallsInFlight {
 public:
  CallsInFlight();
  // Cancels all calls, and returns when their callbacks have. In a forked child it leaves them alone, since they are
  // the parent's. Requires: the thread is not in a callback of such a call, which would wait for itself.
  ~CallsInFlight();
  CallsInFlight(const CallsInFlight&) = delete;
  CallsInFlight& operator=(const CallsInFlight&) = delete;

  // Returns the number of a call before the call is created, so that its callback can contain the number.
  [[nodiscard]] uint64_t NewNumber();
  void Add(uint64_t number, std::shared_ptr<CancellableCall> call);
  // Runs the call's callback, and then removes the call. Requires: it runs once for each call, whose Add has run or is
  // about to.
  void Conclude(uint64_t number, absl::FunctionRef<void()> callback);

 private:
  struct State;
  const OwningProcess process_;
  std::unique_ptr<State> state_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALLS_IN_FLIGHT_H_
