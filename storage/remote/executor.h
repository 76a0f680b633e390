#ifndef HAPAX_STORAGE_REMOTE_EXECUTOR_H_
#define HAPAX_STORAGE_REMOTE_EXECUTOR_H_

#include <map>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/base/worker_pool.h"

namespace hapax {

// Runs the steps of an engine over a network. Tests drive the steps of several engines one by one.
//
// Thread-safety: safe.
class RemoteExecutor {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  virtual ~RemoteExecutor() = default;
  // Runs `work` soon, never before the call returns.
  virtual void Run(Work work) = 0;
  // Runs `work` once `delay` has passed.
  virtual void RunAfter(absl::Duration delay, Work work) = 0;
};

// An executor with threads of its own, for work that may block each other: bodies that wait for a query, and so on.
//
// Thread-safety: safe. Lifetime: as of Close.
class ThreadExecutor final : public RemoteExecutor {
 public:
  explicit ThreadExecutor(int threads);
  ~ThreadExecutor() override;

  void Run(Work work) override;
  void RunAfter(absl::Duration delay, Work work) override;

  // Returns when all work that waits for a thread has run. Delayed work is dropped, and so is all further work.
  void Close();

 private:
  void RunTimers();

  Monitor mu_;
  std::unique_ptr<WorkerPool> pool_ ABSL_GUARDED_BY(mu_);             // Null: closed.
  std::multimap<absl::Duration, Work> delayed_ ABSL_GUARDED_BY(mu_);  // By the monotonic time when it is due.
  std::thread timers_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_EXECUTOR_H_
