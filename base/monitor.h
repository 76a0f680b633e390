#ifndef HAPAX_BASE_MONITOR_H_
#define HAPAX_BASE_MONITOR_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"

namespace hapax {

// A mutex with a condition variable that waits by monotonic time. absl::Mutex and absl::CondVar wait by the wall clock:
// if it is set back by an hour, they wait an hour longer.
//
//   MonitorLock lock(&monitor);
//   monitor.AwaitUntil([&] { return done; }, MonotonicNow() + absl::Seconds(1));
//
// Call WakeAll after changing the state that a condition reads. Thread-safety: safe.
class ABSL_LOCKABLE Monitor {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }
  void WakeAll() { wakeup_.notify_all(); }

  // Waits until `condition` holds. Requires: the caller holds the lock; the same for AwaitUntil.
  template <typename Condition>
  void Await(Condition condition) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mu_, std::adopt_lock);
    wakeup_.wait(lock, condition);
    lock.release();
  }
  // Waits until `condition` holds or monotonic time reaches `until`. Returns whether it holds.
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

// Tells a thread that pauses between rounds to end. Thread-safety: safe.
class StopSignal {
 public:
  void Give() {
    MonitorLock lock(&monitor_);
    given_ = true;
    monitor_.WakeAll();
  }
  // Waits for `time`, or until the signal is given. Returns whether it is given.
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
