#ifndef HAPAX_CLIENT_CALL_TIMING_H_
#define HAPAX_CLIENT_CALL_TIMING_H_

#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hapax::client {

// A task that is due at a time. The number is 0 for none.
struct TimerId {
  absl::Time when;
  uint64_t number = 0;
};

// Time and chance, injected so that tests have them in hand.
//
// Thread-safety: safe.
class Timing {
 public:
  virtual ~Timing() = default;

  [[nodiscard]] virtual absl::Time Now() = 0;

  // Waits until `condition`, guarded by `mu`, holds, or the time is `until`. Returns whether it holds.
  //
  // Requires: the caller holds `mu`.
  virtual bool Await(absl::Mutex& mu, const absl::Condition& condition, absl::Time until) = 0;

  // Runs the task once when the time has come, on a thread that it must not block; not before this returns.
  virtual TimerId At(absl::Time when, absl::AnyInvocable<void() &&> task) = 0;
  // Drops the task unless it runs or has run. Does not wait for one that runs.
  virtual void Drop(const TimerId& timer) = 0;

  // Evenly distributed between 0 and `limit`.
  [[nodiscard]] virtual absl::Duration RandomUpTo(absl::Duration limit) = 0;

  // A new client token (client_token.h).
  [[nodiscard]] virtual std::string NewToken() = 0;
};

// The clock and randomness of this machine.
[[nodiscard]] Timing& SystemTiming();

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_TIMING_H_
