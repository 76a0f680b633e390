#ifndef HAPAX_CLIENT_JOURNAL_JOURNALED_CALL_H_
#define HAPAX_CLIENT_JOURNAL_JOURNALED_CALL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "hapax/client/call/call_handle.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/call/calls_in_flight.h"
#include "hapax/client/journal/journal_writer.h"

namespace hapax::client {

// One asynchronous call of a JournaledCaller. It writes the intent, makes the call, delivers the end, and then removes
// the intent or leaves it open. Each step runs on the thread that completes the previous one.
//
// Thread-safety: safe.
// Lifetime: held by shared_ptr. `calls` holds it until its end is delivered; caller, writer and calls outlive that.
class JournaledCall final : public CancellableCall, public std::enable_shared_from_this<JournaledCall> {
 public:
  using TakeEnd = absl::AnyInvocable<bool(Result<std::string>) &&>;

  JournaledCall(Caller& caller, JournalWriter& writer, CallsInFlight& calls, absl::StatusOr<RawCall> call,
                const RetryPolicy& policy, TakeEnd take_end);

  // Starts the call; without an intent if it is not resumable. Requires: it is called once, and a resumable call is OK.
  void Start(bool resumable);
  void Cancel() override;

 private:
  void OnBegun(absl::StatusOr<int64_t> id);
  void Send(std::optional<int64_t> id);
  void End(std::optional<int64_t> id, Result<std::string> end);

  Caller& caller_;
  JournalWriter& writer_;
  CallsInFlight& calls_;
  const uint64_t number_;
  const RetryPolicy policy_;
  // The steps use these one after another, so they need no lock.
  absl::StatusOr<RawCall> call_;
  TakeEnd take_end_;
  absl::Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  CallHandle sent_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_JOURNALED_CALL_H_
