#ifndef HAPAX_CLIENT_CALL_TIMING_H_
#define HAPAX_CLIENT_CALL_TIMING_H_

#include <string>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hapax::client {

// Time and randomness, injected so that tests control them.
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

  // A uniformly distributed duration between 0 and `limit`.
  [[nodiscard]] virtual absl::Duration RandomUpTo(absl::Duration limit) = 0;

  // A new client token (client_token.h).
  [[nodiscard]] virtual std::string NewToken() = 0;
};

// The clock and randomness of this machine.
[[nodiscard]] Timing& SystemTiming();

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_TIMING_H_
