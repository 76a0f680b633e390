#include "hapax/storage/remote/executor.h"

#include <cstddef>
#include <limits>
#include <utility>

#include "hapax/base/clock.h"

namespace hapax {

ThreadExecutor::ThreadExecutor(int threads)
    : pool_(std::make_unique<WorkerPool>(threads, std::numeric_limits<size_t>::max())),
      timers_([this] { RunTimers(); }) {}

ThreadExecutor::~ThreadExecutor() { Close(); }

void ThreadExecutor::Run(Work work) {
  MonitorLock lock(&mu_);
  if (pool_ != nullptr) pool_->Schedule(std::move(work), /*party=*/"");
}

void ThreadExecutor::RunAfter(absl::Duration delay, Work work) {
  MonitorLock lock(&mu_);
  delayed_.emplace(MonotonicNow() + delay, std::move(work));
  mu_.WakeAll();
}

void ThreadExecutor::Close() {
  std::unique_ptr<WorkerPool> pool;
  {
    MonitorLock lock(&mu_);
    pool = std::move(pool_);
    mu_.WakeAll();
  }
  pool = nullptr;  // Runs what waits.
  if (timers_.joinable()) timers_.join();
}

void ThreadExecutor::RunTimers() {
  MonitorLock lock(&mu_);
  while (pool_ != nullptr) {
    const absl::Duration due = delayed_.empty() ? absl::InfiniteDuration() : delayed_.begin()->first;
    mu_.AwaitUntil(
        [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return pool_ == nullptr || (!delayed_.empty() && delayed_.begin()->first < due);
        },
        due);
    const absl::Duration now = MonotonicNow();
    while (pool_ != nullptr && !delayed_.empty() && delayed_.begin()->first <= now) {
      pool_->Schedule(std::move(delayed_.begin()->second), /*party=*/"");
      delayed_.erase(delayed_.begin());
    }
  }
  delayed_.clear();
}

}  // namespace hapax
