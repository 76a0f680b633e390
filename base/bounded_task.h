#ifndef HAPAX_BASE_BOUNDED_TASK_H_
#define HAPAX_BASE_BOUNDED_TASK_H_

#include <memory>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace hapax {

// Runs a task that may never end on its own thread, so that the wait for it can be bounded.
//
// Thread-safety: safe.
// Lifetime: a task that has not ended when the destructor runs continues without it. Then everything that the task uses
// must outlive the task.
class BoundedTask {
 public:
  // Starts the task. If no thread can be created, the task runs on this thread.
  explicit BoundedTask(absl::AnyInvocable<void() &&> task);
  ~BoundedTask();
  BoundedTask(const BoundedTask&) = delete;
  BoundedTask& operator=(const BoundedTask&) = delete;

  // Waits until the task has ended, or until that monotonic time. Returns whether the task has ended.
  [[nodiscard]] bool AwaitUntil(absl::Duration until) const;

 private:
  class End;

  const std::shared_ptr<End> end_;  // Shared with the thread.
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_BOUNDED_TASK_H_
