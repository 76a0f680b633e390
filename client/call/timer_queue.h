#ifndef HAPAX_CLIENT_CALL_TIMER_QUEUE_H_
#define HAPAX_CLIENT_CALL_TIMER_QUEUE_H_

#include <cstdint>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/client/call/timing.h"

namespace hapax::client {

// Runs tasks when their times have come, in that order, on one thread, which starts with the first task and never ends.
//
// Thread-safety: safe.
// Lifetime: once it has a thread it is never destroyed.
class TimerQueue {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // Runs the task once, not before `when`. It must not block: it would delay all others.
  TimerId At(absl::Time when, Task task);
  // Drops the task unless it runs or has run.
  void Drop(const TimerId& id);

 private:
  using Key = std::pair<absl::Time, uint64_t>;
  [[noreturn]] void Run();

  absl::Mutex mu_;
  absl::CondVar earlier_;  // The first task is another one.
  std::map<Key, Task> tasks_ ABSL_GUARDED_BY(mu_);
  uint64_t last_number_ ABSL_GUARDED_BY(mu_) = 0;
};

// The queue of this process: a child that is forked off has one of its own, which is empty.
[[nodiscard]] TimerQueue& ProcessTimers();

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_TIMER_QUEUE_H_
