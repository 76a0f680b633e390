#ifndef HAPAX_INTERCEPTORS_LIMITS_CALL_GATE_H_
#define HAPAX_INTERCEPTORS_LIMITS_CALL_GATE_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"

namespace hapax {

// Counts and bounds the calls in flight. At shutdown it lets running calls finish.
//
// Thread-safety: safe.
class CallGate {
 public:
  explicit CallGate(int max_in_flight) : max_in_flight_(max_in_flight) {}

  // OK: the call is in flight until Leave. Errors: OVERLOADED above the limit; TOKEN_STORE_UNAVAILABLE once the gate is
  // closed.
  [[nodiscard]] absl::Status TryEnter();
  void Leave();

  // Refuses all further calls.
  void Close();
  // Waits until no call is in flight, for at most `timeout`.
  void AwaitIdle(absl::Duration timeout);

 private:
  const int max_in_flight_;
  Monitor mu_;
  int in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool awaited_ ABSL_GUARDED_BY(mu_) = false;  // Whether AwaitIdle was called.
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_CALL_GATE_H_
