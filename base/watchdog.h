#ifndef HAPAX_BASE_WATCHDOG_H_
#define HAPAX_BASE_WATCHDOG_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace hapax {

// Calls back on a thread of its own once it has existed for `limit`: for work that must end in time but may hang. It
// waits by the steady clock.
//
// Thread-safety: for one thread.
// Lifetime: the destructor waits for a callback that has begun; none begins afterwards.
class Watchdog {
 public:
  // An infinite limit never expires.
  Watchdog(absl::Duration limit, absl::AnyInvocable<void() &&> on_expiry);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  std::mutex mu_;  // absl::Mutex would wait by the wall clock.
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_WATCHDOG_H_
