#include "hapax/base/clock.h"

#include <chrono>
#include <fstream>

#include "absl/time/clock.h"

namespace hapax {

absl::Time SystemClock::Now() const { return absl::Now(); }

absl::Duration SystemClock::Monotonic() const { return MonotonicNow(); }

// Reads the kernel's files. Their 10 ms are exact enough, and no library clock intervenes.
Uptime SystemClock::SinceBoot() const {
  Uptime uptime;
  double seconds = 0;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> uptime.boot_id;
  std::ifstream("/proc/uptime") >> seconds;
  uptime.elapsed = absl::Seconds(seconds);
  return uptime;
}

absl::Duration MonotonicNow() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace hapax
