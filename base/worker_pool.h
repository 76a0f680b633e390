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

// A few threads for work that would keep an event thread, behind a queue in which parties take turns by bytes
// (turn_queue.h).
//
// Thread-safety: safe.
// Lifetime: the destructor returns when all accepted work is done.
class WorkerPool {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  // `max_waiting`: of TrySchedule's work; one party has half of the places at the most.
  WorkerPool(int threads, size_t max_waiting);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `work`, which takes as long as `bytes` do, on one of the threads.
  void Schedule(Work work, std::string_view party, int64_t bytes = 0);
  // The same; false, leaving `work` as it is, when too much is waiting, of all or of `party`'s.
  [[nodiscard]] bool TrySchedule(Work& work, std::string_view party);
  // The party's work turned out to be `bytes` more.
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
