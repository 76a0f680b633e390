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

// The share of the server that each tenant may take.
struct TenantLimits {
  // Maximum calls in flight.
  int max_calls_in_flight = 2048;
  // Maximum calls a second in the long run; 0: no limit.
  double max_calls_per_second = 0;
  // Maximum calls at once after a pause. Applies only with max_calls_per_second.
  int max_burst = 100;
};

// Bounds each tenant's calls in flight, and with a token bucket its calls a second, so that no tenant can take the
// whole server.
//
//   absl::StatusOr<TenantGate::Place*> place = gate.TryEnter(tenant);
//   ...
//   gate.Leave(**place);
//
// It remembers tenants that have a call in flight or a bucket that is not full, and at most as many others.
//
// Thread-safety: safe.
// Lifetime: the clock outlives it.
class TenantGate {
 public:
  // The state of one tenant.
  struct Place {
    int in_flight = 0;
    // When the bucket is full again, in monotonic time. Each call puts it off by the time that refills one call.
    absl::Duration full_at = -absl::InfiniteDuration();
  };

  TenantGate(const TenantLimits& limits, const Clock& clock);

  // OK: the call is in flight until Leave. Errors: OVERLOADED, naming the limit. For calls a second, RetryInfo says
  // when there is room for another.
  [[nodiscard]] absl::StatusOr<Place*> TryEnter(const std::string& tenant);
  void Leave(Place& place);

 private:
  [[nodiscard]] Place& PlaceOf(const std::string& tenant, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const TenantLimits limits_;
  const bool is_metered_;
  const absl::Duration call_takes_;    // The time that refills one call.
  const absl::Duration bucket_takes_;  // The time that fills an empty bucket.
  const Clock& clock_;
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, std::unique_ptr<Place>> places_ ABSL_GUARDED_BY(mu_);
  size_t clean_up_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_TENANT_GATE_H_
