#ifndef HAPAX_BASE_WATCHDOG_H_
#define HAPAX_BASE_WATCHDOG_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace hapax {

// Calls back, on a thread of its own, when it has existed for that long: for work that has to end in time, and may
// hang. It waits by the steady clock.
//
// Thread-safety: for one thread.
// Lifetime: the destructor waits for a call that has begun; none begins afterwards.
class Watchdog {
 public:
  // An infinite limit never expires.
  Watchdog(absl::Duration limit, absl::AnyInvocable<void() &&> on_expiry);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  std::mutex mu_;  // Abseil's waits go by the wall clock.
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_WATCHDOG_H_
