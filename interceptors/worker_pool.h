#ifndef HAPAX_INTERCEPTORS_WORKER_POOL_H_
#define HAPAX_INTERCEPTORS_WORKER_POOL_H_

#include <cstddef>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/turn_queue.h"

namespace hapax {

// A few threads for work that would block an event thread, behind a bounded queue in which parties take turns
// (turn_queue.h), of which one has half of the places at the most.
//
// Thread-safety: safe.
// Lifetime: the destructor returns when all accepted work is done.
class WorkerPool {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  WorkerPool(int threads, size_t max_waiting);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `work` on one of the threads. False, leaving `work` as it is, when too much is waiting, of all or of
  // `party`'s.
  [[nodiscard]] bool TrySchedule(Work& work, std::string_view party);

 private:
  void Run();

  const size_t max_waiting_;
  absl::Mutex mu_;
  TurnQueue<Work> waiting_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_WORKER_POOL_H_
