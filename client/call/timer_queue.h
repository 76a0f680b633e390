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

// Runs tasks at their times, in the order of time, on one thread. The thread starts with the first task, and never
// ends.
//
// Thread-safety: safe.
// Lifetime: never destroyed once it has a thread.
class TimerQueue {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // Runs the task once, not before `when`. The task must not block, since it would delay all others.
  TimerId At(absl::Time when, Task task);
  // Removes the task unless it runs or has run.
  void Drop(const TimerId& id);

 private:
  using Key = std::pair<absl::Time, uint64_t>;
  [[noreturn]] void Run();

  absl::Mutex mu_;
  absl::CondVar earlier_;  // Signalled when the earliest task changes.
  std::map<Key, Task> tasks_ ABSL_GUARDED_BY(mu_);
  uint64_t last_number_ ABSL_GUARDED_BY(mu_) = 0;
};

// Returns the queue of this process. A forked child has its own queue, which starts empty.
[[nodiscard]] TimerQueue& ProcessTimers();

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_TIMER_QUEUE_H_
