#ifndef HAPAX_STORAGE_COMPLETION_THREADS_H_
#define HAPAX_STORAGE_COMPLETION_THREADS_H_

#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/store.h"

namespace hapax {

// A transaction whose fate is settled, and those who are to hear of it.
struct Completion {
  absl::Status status;
  Store::Done done;
  // Run before `done`; only when the status is OK.
  std::vector<absl::AnyInvocable<void()>> hooks;
};

// Tells callers what became of their transactions, so that the thread that commits need not: sending a
// reply costs about as much as committing it. A handful is told on the calling thread at once, since
// waking another would cost a lone caller more.
//
// Thread-safety: safe.
// Lifetime: the destructor returns when all are told.
class CompletionThreads {
 public:
  explicit CompletionThreads(int count);
  ~CompletionThreads();
  CompletionThreads(const CompletionThreads&) = delete;
  CompletionThreads& operator=(const CompletionThreads&) = delete;

  void Deliver(std::vector<Completion> completions);

 private:
  void Run();

  absl::Mutex mu_;
  std::deque<std::vector<Completion>> waiting_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_COMPLETION_THREADS_H_
