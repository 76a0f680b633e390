#ifndef HAPAX_TESTING_MANUAL_CLOCK_H_
#define HAPAX_TESTING_MANUAL_CLOCK_H_

#include <algorithm>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"

namespace hapax {

// Clocks that only the test advances. Thread-safety: safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time now = absl::FromUnixSeconds(1'000'000'000)) : now_(now) {}

  [[nodiscard]] absl::Time Now() const override {
    absl::MutexLock lock(&mu_);
    return now_ + ahead_here_;
  }
  [[nodiscard]] absl::Duration Monotonic() const override {
    absl::MutexLock lock(&mu_);
    return passed_;
  }
  [[nodiscard]] Uptime SinceBoot() const override {
    absl::MutexLock lock(&mu_);
    return {.boot_id = absl::StrCat("boot-", boots_), .elapsed = passed_ - booted_};
  }

  // Lets time pass.
  void Advance(absl::Duration step) {
    absl::MutexLock lock(&mu_);
    now_ += step;
    passed_ += step;
  }
  // Lets time pass until `now`. If that is in the past, only sets the wall clock, like Jump.
  void Set(absl::Time now) {
    absl::MutexLock lock(&mu_);
    passed_ += std::max(now - now_, absl::ZeroDuration());
    now_ = now;
  }
  // Sets the wall clock forward or back without letting time pass.
  void Jump(absl::Duration step) {
    absl::MutexLock lock(&mu_);
    now_ += step;
  }
  // Reboots the machine. Only the wall clock tells how long that took.
  void Reboot() {
    absl::MutexLock lock(&mu_);
    ++boots_;
    booted_ = passed_;
  }

  // While it exists, the wall clock is ahead by `step` for its thread, and unchanged for other threads.
  class AheadOnThisThread {
   public:
    explicit AheadOnThisThread(absl::Duration step) { ahead_here_ = step; }
    ~AheadOnThisThread() { ahead_here_ = absl::ZeroDuration(); }
    AheadOnThisThread(const AheadOnThisThread&) = delete;
    AheadOnThisThread& operator=(const AheadOnThisThread&) = delete;
  };

 private:
  static inline thread_local absl::Duration ahead_here_;

  mutable absl::Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
  absl::Duration passed_ ABSL_GUARDED_BY(mu_);
  absl::Duration booted_ ABSL_GUARDED_BY(mu_);
  int boots_ ABSL_GUARDED_BY(mu_) = 1;
};

}  // namespace hapax

#endif  // HAPAX_TESTING_MANUAL_CLOCK_H_
