#ifndef HAPAX_INTERCEPTORS_LIMITS_TENANT_GATE_H_
#define HAPAX_INTERCEPTORS_LIMITS_TENANT_GATE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"

namespace hapax {

// What each tenant may take of the server.
struct TenantLimits {
  // Calls that it may have in flight.
  int max_calls_in_flight = 2048;
  // Calls a second that it may make in the long run; 0: any number.
  double max_calls_per_second = 0;
  // Calls that it may make at once after a pause. Counts only with max_calls_per_second.
  int max_burst = 100;
};

// Bounds what one tenant takes, so that it cannot take everything: its calls in flight, and by a token bucket its calls
// a second.
//
//   absl::StatusOr<TenantGate::Place*> place = gate.TryEnter(tenant);
//   ...
//   gate.Leave(**place);
//
// Remembers tenants that have a call in flight or a bucket that is not full again, and at most as many others.
//
// Thread-safety: safe.
// Lifetime: the clock outlives it.
class TenantGate {
 public:
  // One tenant's.
  struct Place {
    int in_flight = 0;
    // The bucket is full from then on: each call puts it off by the time that it takes to make up for one.
    // Monotonic time.
    absl::Duration full_at = -absl::InfiniteDuration();
  };

  TenantGate(const TenantLimits& limits, const Clock& clock);

  // OK: the call is in flight until Leave. Errors: OVERLOADED, naming the limit; of the calls a second, RetryInfo says
  // when there is room for another.
  [[nodiscard]] absl::StatusOr<Place*> TryEnter(const std::string& tenant);
  void Leave(Place& place);

 private:
  [[nodiscard]] Place& PlaceOf(const std::string& tenant, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const TenantLimits limits_;
  const bool is_metered_;
  const absl::Duration call_takes_;    // Time to make up for a call.
  const absl::Duration bucket_takes_;  // Time to fill an empty bucket.
  const Clock& clock_;
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, std::unique_ptr<Place>> places_ ABSL_GUARDED_BY(mu_);
  size_t clean_up_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_TENANT_GATE_H_
