#ifndef HAPAX_CLIENT_CALL_ONGOING_CALL_H_
#define HAPAX_CLIENT_CALL_ONGOING_CALL_H_

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/client/call/call_handle.h"
#include "hapax/client/call/raw_call.h"
#include "hapax/client/call/retry.h"
#include "hapax/client/call/timing.h"
#include "hapax/client/call/tried_endpoints.h"
#include "hapax/client/wire/connection.h"
#include "hapax/client/wire/fork.h"

namespace hapax::client {

// One call with its attempts. It occupies no thread: the end of an attempt, a timer or Cancel() advances it. Only one
// thread advances it at a time; the others record their event and return.
//
//   at rest --event--> Advance: Decide -> start an attempt, or set the timer and rest, or deliver the result
//
// Thread-safety: safe.
// Lifetime: held by shared_ptr. Connection, timing and budget outlive the delivery of its result, and are not used
// after it.
class OngoingCall final : public CancellableCall, public std::enable_shared_from_this<OngoingCall> {
 public:
  using Done = absl::AnyInvocable<void(Result<std::string>) &&>;

  // Calls `done` once, and then destroys it.
  OngoingCall(std::shared_ptr<const RawCall> call, const RetryPolicy& policy, Connection& connection, Timing& timing,
              RetryBudget& budget, Done done);

  // The threads on which the result may be delivered.
  enum class On {
    kThisThread,  // Any thread, including this one.
    kAnother,     // Not this thread before the function returns: the caller may hold locks that `done` takes.
  };
  // Starts the first attempt. Requires: it is called once, and Refuse is not called.
  void Start(On on);
  // Ends the call before anything is sent.
  void Refuse(absl::Status why, bool settled, On on);
  void Cancel() override;

 private:
  using AttemptNumber = int;
  struct Ended {
    AttemptNumber number;
    size_t endpoint;
    AttemptEnd end;
  };
  struct Open {
    AttemptNumber number;
    size_t endpoint;
    Connection::Cancel cancel;
  };
  enum class Step {
    kAttempt,   // Make another attempt.
    kRest,      // Wait for an event.
    kHandOver,  // Deliver the result on this thread.
    kElsewhere  // Deliver the result on another thread.
  };

  void Advance(On on) ABSL_LOCKS_EXCLUDED(mu_);
  void AdvanceElsewhere();
  [[nodiscard]] Step Decide(On on) ABSL_LOCKS_EXCLUDED(mu_);
  [[nodiscard]] bool IsAffordable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnTimer(absl::Time when) ABSL_LOCKS_EXCLUDED(mu_);
  void MakeAttempt() ABSL_LOCKS_EXCLUDED(mu_);
  [[nodiscard]] size_t ChooseEndpoint() ABSL_LOCKS_EXCLUDED(mu_);
  [[nodiscard]] Attempt NextAttempt(size_t endpoint) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnEnd(Ended ended) ABSL_LOCKS_EXCLUDED(mu_);
  void HandOver() ABSL_LOCKS_EXCLUDED(mu_);

  [[nodiscard]] Ended TakeEnd() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Judge(Ended ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PlanRetry(const RetryAdvice& advice, bool settled) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Object(std::string reply) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GiveUp(absl::StatusCode code, std::string why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Finish(absl::StatusOr<std::string> reply, bool settled) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Duration Backoff() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether all attempts have ended without an effect.
  [[nodiscard]] bool NothingOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::shared_ptr<const RawCall> call_;
  const RetryPolicy policy_;
  Connection& connection_;
  Timing& timing_;
  RetryBudget& budget_;
  const absl::Time deadline_;
  const OwningProcess process_;

  absl::Mutex mu_;
  Done done_ ABSL_GUARDED_BY(mu_);
  bool moving_ ABSL_GUARDED_BY(mu_) = false;  // A thread is in Advance, or the result was delivered.
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::list<Ended> ended_ ABSL_GUARDED_BY(mu_);  // Ends not processed yet.
  std::vector<Open> open_ ABSL_GUARDED_BY(mu_);  // Attempts whose end is not processed yet.
  TriedEndpoints tried_ ABSL_GUARDED_BY(mu_);
  int failovers_ ABSL_GUARDED_BY(mu_) = 0;  // Attempts that another endpoint got at once.
  TimerId timer_ ABSL_GUARDED_BY(mu_);
  absl::Time next_start_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  absl::Time not_before_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();  // The earliest start the server allows.
  absl::Status last_error_ ABSL_GUARDED_BY(mu_);
  bool none_had_effect_ ABSL_GUARDED_BY(mu_) = true;  // Considers only attempts that ended.
  bool over_ ABSL_GUARDED_BY(mu_) = false;
  Result<std::string> result_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_ONGOING_CALL_H_
