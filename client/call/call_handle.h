#ifndef HAPAX_CLIENT_CALL_CALL_HANDLE_H_
#define HAPAX_CLIENT_CALL_CALL_HANDLE_H_

#include <memory>
#include <utility>

namespace hapax::client {

// What a CallHandle cancels.
//
// Thread-safety: safe.
class CancellableCall {
 public:
  virtual ~CancellableCall() = default;
  // As CallHandle::Cancel.
  virtual void Cancel() = 0;
};

// A call that was started. To let go of it changes nothing about the call.
//
//   CallHandle launch = caller.Start<RunInstancesResponse>(method, request, options, done);
//   launch.Cancel();
//
// Thread-safety: safe, as a value is: one handle is changed by one thread at a time.
// Lifetime: may outlive the call, and the Caller.
class CallHandle {
 public:
  CallHandle() = default;  // Of no call.
  explicit CallHandle(std::weak_ptr<CancellableCall> call) : call_(std::move(call)) {}

  // Ends the call soon, with CANCELLED, and makes no further attempt; no effect on a call that has ended. The callback
  // is called all the same, and not on this thread before Cancel returns.
  //
  // It takes back nothing that was sent: where CallInfo::settled is false, the effect may have been made, or may be
  // yet. The token stays as it is, so the same call with `info.token` tells, and AbandonToken fences it.
  void Cancel() const {
    if (const std::shared_ptr<CancellableCall> call = call_.lock()) call->Cancel();
  }

 private:
  std::weak_ptr<CancellableCall> call_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALL_HANDLE_H_
