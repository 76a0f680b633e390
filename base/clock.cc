#include "hapax/base/clock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>

#include "absl/time/clock.h"

namespace hapax {

absl::Time SystemClock::Now() const { return absl::Now(); }

absl::Duration SystemClock::Monotonic() const { return MonotonicNow(); }

// Asks the kernel itself, so that no library clock intervenes. /proc/uptime is the same, rounded to 10 ms.
Uptime SystemClock::SinceBoot() const {
  Uptime uptime;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> uptime.boot_id;
  timespec elapsed{};
  if (::syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &elapsed) == 0) uptime.elapsed = absl::DurationFromTimespec(elapsed);
  return uptime;
}

absl::Duration MonotonicNow() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace hapax
