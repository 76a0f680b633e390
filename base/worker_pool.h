#ifndef HAPAX_BASE_WORKER_POOL_H_
#define HAPAX_BASE_WORKER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/turn_queue.h"

namespace hapax {

// A few threads for work that is too long for an event thread. Parties take turns by bytes in their queue
// (turn_queue.h).
//
// Thread-safety: safe.
// Lifetime: the destructor returns when all accepted work is done.
class WorkerPool {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  // `max_waiting` bounds the work accepted by TrySchedule; one party may have half of it.
  WorkerPool(int threads, size_t max_waiting);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `work`, whose cost is that of `bytes`, on one of the threads.
  void Schedule(Work work, std::string_view party, int64_t bytes = 0);
  // Like Schedule. Returns false and leaves `work` alone when too much is waiting, in total or for `party`.
  [[nodiscard]] bool TrySchedule(Work& work, std::string_view party);
  // Adds `bytes` to the cost of the party's work.
  void Charge(std::string_view party, int64_t bytes);

 private:
  void Run();

  const size_t max_waiting_;
  absl::Mutex mu_;
  TurnQueue<Work> waiting_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_WORKER_POOL_H_
