#ifndef HAPAX_CLIENT_CALL_CALL_HANDLE_H_
#define HAPAX_CLIENT_CALL_CALL_HANDLE_H_

#include <memory>
#include <utility>

namespace hapax::client {

// A call that a CallHandle can cancel.
//
// Thread-safety: safe.
class CancellableCall {
 public:
  virtual ~CancellableCall() = default;
  // Same as CallHandle::Cancel.
  virtual void Cancel() = 0;
};

// Refers to a started call. Destroying the handle does not affect the call.
//
//   CallHandle launch = caller.Start<RunInstancesResponse>(method, request, options, done);
//   launch.Cancel();
//
// Thread-safety: as for a value; only one thread at a time may change a handle.
// Lifetime: may outlive the call, and the Caller.
class CallHandle {
 public:
  CallHandle() = default;  // Refers to no call.
  explicit CallHandle(std::weak_ptr<CancellableCall> call) : call_(std::move(call)) {}

  // Ends the call soon with CANCELLED, and makes no further attempt. Has no effect on a call that has ended. The
  // callback still runs, but never on this thread before Cancel returns.
  //
  // Cancel does not undo what was sent. If CallInfo::settled is false, the effect may exist, or may still be made. The
  // token stays valid: repeating the call with `info.token` tells the outcome, and AbandonToken fences the token.
  //
  // Does nothing in a forked child of the process that started the call.
  void Cancel() const {
    if (const std::shared_ptr<CancellableCall> call = call_.lock()) call->Cancel();
  }

 private:
  std::weak_ptr<CancellableCall> call_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALL_HANDLE_H_
