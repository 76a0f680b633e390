#include "hapax/base/worker_pool.h"

#include <utility>

namespace hapax {

WorkerPool::WorkerPool(int threads, size_t max_waiting) : max_waiting_(max_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::Schedule(Work work, std::string_view party, int64_t bytes) {
  absl::MutexLock lock(&mu_);
  waiting_.Push(party, std::move(work), bytes);
}

void WorkerPool::Charge(std::string_view party, int64_t bytes) {
  absl::MutexLock lock(&mu_);
  waiting_.Charge(party, bytes);
}

bool WorkerPool::TrySchedule(Work& work, std::string_view party) {
  absl::MutexLock lock(&mu_);
  if (!waiting_.HasRoom(party, max_waiting_)) return false;
  waiting_.Push(party, std::move(work));
  return true;
}

void WorkerPool::Run() {
  const auto something_to_do = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || !waiting_.empty(); };
  while (true) {
    Work work;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(&something_to_do));
      if (waiting_.empty()) return;
      work = waiting_.Pop();
    }
    std::move(work)();
  }
}

}  // namespace hapax
