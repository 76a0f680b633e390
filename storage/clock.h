#ifndef HAPAX_STORAGE_CLOCK_H_
#define HAPAX_STORAGE_CLOCK_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hapax {

// The wall clock, injected so that tests can set it. Thread-safety: safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual absl::Time Now() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] absl::Time Now() const override { return absl::Now(); }
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_CLOCK_H_
