#ifndef HAPAX_BASE_BOUNDED_TASK_H_
#define HAPAX_BASE_BOUNDED_TASK_H_

#include <memory>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace hapax {

// Runs a task that may never end, on a thread of its own, so that others wait for it no longer than they like.
//
// Thread-safety: safe.
// Lifetime: a task that has not ended by the destructor goes on without it. What the task uses must outlive it then.
class BoundedTask {
 public:
  // Starts the task. Without room for another thread it runs here.
  explicit BoundedTask(absl::AnyInvocable<void() &&> task);
  ~BoundedTask();
  BoundedTask(const BoundedTask&) = delete;
  BoundedTask& operator=(const BoundedTask&) = delete;

  // Waits until the task has ended, or until that monotonic time. Says whether it has.
  [[nodiscard]] bool AwaitUntil(absl::Duration until) const;

 private:
  class End;

  const std::shared_ptr<End> end_;  // Shared with the thread.
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_BOUNDED_TASK_H_
