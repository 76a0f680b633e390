#include "hapax/client/call/timer_queue.h"

#include <atomic>
#include <thread>

#include "hapax/client/wire/fork.h"

namespace hapax::client {

TimerId TimerQueue::At(absl::Time when, Task task) {
  absl::MutexLock lock(&mu_);
  const uint64_t number = ++last_number_;
  if (number == 1) std::thread([this] { Run(); }).detach();
  const auto added = tasks_.emplace(Key(when, number), std::move(task)).first;
  if (added == tasks_.begin()) earlier_.Signal();
  return {.when = when, .number = number};
}

void TimerQueue::Drop(const TimerId& id) {
  decltype(tasks_)::node_type dropped;  // Destroyed without the lock.
  absl::MutexLock lock(&mu_);
  dropped = tasks_.extract(Key(id.when, id.number));
}

void TimerQueue::Run() {
  absl::MutexLock lock(&mu_);
  while (true) {
    const absl::Time next = tasks_.empty() ? absl::InfiniteFuture() : tasks_.begin()->first.first;
    if (absl::Now() < next) {
      earlier_.WaitWithDeadline(&mu_, next);
      continue;
    }
    auto due = tasks_.extract(tasks_.begin());
    mu_.Unlock();
    std::move(due.mapped())();
    due = {};
    mu_.Lock();
  }
}

TimerQueue& ProcessTimers() {
  struct Owned {
    OwningProcess process;
    TimerQueue queue;
  };
  static std::atomic<Owned*> current = nullptr;
  Owned* owned = current.load(std::memory_order_acquire);
  while (owned == nullptr || !owned->process.IsThisOne()) {
    auto* const made = new Owned;
    if (current.compare_exchange_strong(owned, made, std::memory_order_acq_rel)) return made->queue;
    // Another thread was first. `made` has no thread yet, so it can be deleted.
    delete made;
  }
  return owned->queue;
}

}  // namespace hapax::client
