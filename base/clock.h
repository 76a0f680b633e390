#ifndef HAPAX_BASE_CLOCK_H_
#define HAPAX_BASE_CLOCK_H_

#include <string>

#include "absl/time/time.h"

namespace hapax {

// Something that tells a time of day. Thread-safety: safe.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  [[nodiscard]] virtual absl::Time Now() const = 0;
};

// How long the machine is up, time asleep included, and which start of it that is.
struct Uptime {
  std::string boot_id;  // Another one after each start of the machine; empty: not known.
  absl::Duration elapsed;
};

// The clocks of a machine, injected so that tests can set them. Now() is the wall clock: it may be set to anything at
// any moment. So nothing waits by it and no duration is measured by it, and what it says is never taken for time that
// has passed (interceptors/idempotency/token_time.h). Thread-safety: safe.
class Clock : public TimeSource {
 public:
  // Time since some moment; never set, and at the pace of real time.
  [[nodiscard]] virtual absl::Duration Monotonic() const = 0;
  [[nodiscard]] virtual Uptime SinceBoot() const = 0;
};

// The machine's.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] absl::Time Now() const override;
  [[nodiscard]] absl::Duration Monotonic() const override;
  [[nodiscard]] Uptime SinceBoot() const override;
};

// Likewise, for where no test takes the clock in hand.
[[nodiscard]] absl::Duration MonotonicNow();

}  // namespace hapax

#endif  // HAPAX_BASE_CLOCK_H_
