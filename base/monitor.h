#ifndef HAPAX_BASE_MONITOR_H_
#define HAPAX_BASE_MONITOR_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"

namespace hapax {

// A mutex with a condition that is waited for by monotonic time. absl::Mutex and absl::CondVar wait by the wall clock:
// when that is set back by an hour, they wait for an hour longer.
//
//   MonitorLock lock(&monitor);
//   monitor.AwaitUntil([&] { return done; }, MonotonicNow() + absl::Seconds(1));
//
// Who changes what is waited for calls WakeAll. Thread-safety: safe.
class ABSL_LOCKABLE Monitor {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }
  void WakeAll() { wakeup_.notify_all(); }

  // Waits until `condition` holds. Requires: the caller has the lock, as for AwaitUntil.
  template <typename Condition>
  void Await(Condition condition) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mu_, std::adopt_lock);
    wakeup_.wait(lock, condition);
    lock.release();
  }
  // Likewise, until that monotonic time at the most. Says whether it holds.
  template <typename Condition>
  bool AwaitUntil(Condition condition, absl::Duration until) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (until == absl::InfiniteDuration()) {
      Await(condition);
      return true;
    }
    using std::chrono::steady_clock;
    std::unique_lock<std::mutex> lock(mu_, std::adopt_lock);
    const bool holds = wakeup_.wait_until(lock, steady_clock::time_point(absl::ToChronoNanoseconds(until)), condition);
    lock.release();
    return holds;
  }

 private:
  std::mutex mu_;
  std::condition_variable wakeup_;
};

class ABSL_SCOPED_LOCKABLE MonitorLock {
 public:
  explicit MonitorLock(Monitor* monitor) ABSL_EXCLUSIVE_LOCK_FUNCTION(monitor) : monitor_(monitor) { monitor->Lock(); }
  ~MonitorLock() ABSL_UNLOCK_FUNCTION() { monitor_->Unlock(); }
  MonitorLock(const MonitorLock&) = delete;
  MonitorLock& operator=(const MonitorLock&) = delete;

 private:
  Monitor* const monitor_;
};

// Tells a thread that pauses now and then to end. Thread-safety: safe.
class StopSignal {
 public:
  void Give() {
    MonitorLock lock(&monitor_);
    given_ = true;
    monitor_.WakeAll();
  }
  // Waits for `time`, or until it is given; says whether it is.
  bool AwaitFor(absl::Duration time) {
    MonitorLock lock(&monitor_);
    return monitor_.AwaitUntil([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return given_; }, MonotonicNow() + time);
  }

 private:
  Monitor monitor_;
  bool given_ ABSL_GUARDED_BY(monitor_) = false;
};

}  // namespace hapax

#endif  // HAPAX_BASE_MONITOR_H_
