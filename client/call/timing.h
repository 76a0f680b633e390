#ifndef HAPAX_CLIENT_CALL_TIMING_H_
#define HAPAX_CLIENT_CALL_TIMING_H_

#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hapax::client {

// Identifies a task and its time. The number is 0 if there is none.
struct TimerId {
  absl::Time when;
  uint64_t number = 0;
};

// Time, timers and randomness, injected so that tests control them.
//
// Thread-safety: safe.
class Timing {
 public:
  virtual ~Timing() = default;

  [[nodiscard]] virtual absl::Time Now() = 0;

  // Waits until `condition`, guarded by `mu`, holds, or the time is `until`. Returns whether the condition holds.
  //
  // Requires: the caller holds `mu`.
  virtual bool Await(absl::Mutex& mu, const absl::Condition& condition, absl::Time until) = 0;

  // Runs the task once, at or after `when` and not before this returns. The task must not block its thread.
  virtual TimerId At(absl::Time when, absl::AnyInvocable<void() &&> task) = 0;
  // Removes the task unless it runs or has run. Does not wait for a running task.
  virtual void Drop(const TimerId& timer) = 0;

  // Returns a uniformly distributed duration between 0 and `limit`.
  [[nodiscard]] virtual absl::Duration RandomUpTo(absl::Duration limit) = 0;

  // Returns a new client token (client_token.h).
  [[nodiscard]] virtual std::string NewToken() = 0;
};

// The clock and randomness of this machine.
[[nodiscard]] Timing& SystemTiming();

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_TIMING_H_
