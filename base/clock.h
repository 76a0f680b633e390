#ifndef HAPAX_BASE_CLOCK_H_
#define HAPAX_BASE_CLOCK_H_

#include <string>

#include "absl/time/time.h"

namespace hapax {

// A source of the time of day. Thread-safety: safe.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  [[nodiscard]] virtual absl::Time Now() const = 0;
};

// The time since the machine started, sleep included, and an id of that start.
struct Uptime {
  std::string boot_id;  // Differs after each start of the machine; empty if unknown.
  absl::Duration elapsed;
};

// The clocks of a machine, injected so that tests can set them. Now() is the wall clock, which may be set to anything
// at any moment. So no wait and no duration uses it, and its readings never count as elapsed time
// (interceptors/idempotency/token_time.h). Thread-safety: safe.
class Clock : public TimeSource {
 public:
  // Time since an unspecified moment. It is never set, and advances at the pace of real time.
  [[nodiscard]] virtual absl::Duration Monotonic() const = 0;
  [[nodiscard]] virtual Uptime SinceBoot() const = 0;
};

// The clocks of this machine.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] absl::Time Now() const override;
  [[nodiscard]] absl::Duration Monotonic() const override;
  [[nodiscard]] Uptime SinceBoot() const override;
};

// The monotonic clock of this machine, for code whose tests do not inject a clock.
[[nodiscard]] absl::Duration MonotonicNow();

}  // namespace hapax

#endif  // HAPAX_BASE_CLOCK_H_
