#include "hapax/bench/pacing.h"

#include <thread>

namespace hapax::bench {

Instant Schedule::Due(uint64_t call) const {
  const std::chrono::duration<double> after(static_cast<double>(call) / rate_);
  return start_ + std::chrono::duration_cast<std::chrono::nanoseconds>(after);
}

void SleepUntil(Instant instant) { std::this_thread::sleep_until(instant); }

}  // namespace hapax::bench
