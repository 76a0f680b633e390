#ifndef HAPAX_STORAGE_REMOTE_ENGINE_H_
#define HAPAX_STORAGE_REMOTE_ENGINE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/turn_queue.h"
#include "hapax/storage/remote/context.h"
#include "hapax/storage/remote/group_runner.h"
#include "hapax/storage/remote/slot_keeper.h"
#include "hapax/storage/store.h"

namespace hapax {

// The transactions of an engine over a network that wait, and the groups that are made of them: one at a time of those
// that may write, on the server's slot, and a few of queries (group_runner.h).
//
// It blocks nobody and has no thread: everything runs on the executor. So tests drive several engines step by step.
// RemoteStore (store.h) gives it threads.
//
// A group has the transactions that wait when its turn comes. Parties take turns (turn_queue.h). Those that were cut
// off a group come before all others.
//
// Thread-safety: safe. Lifetime: it keeps itself alive while a group is under way.
class RemoteEngine : public std::enable_shared_from_this<RemoteEngine> {
 public:
  RemoteEngine(const RemoteOptions& options, RemoteBackend& backend, RemoteExecutor& executor);

  // Start (S): takes the slot. Transactions wait until it is ours, queries do not. Requires: called once.
  void Start();

  // See Store. `body` of Query only reads.
  void Execute(Store::Body body, Store::Done done, std::string_view party);
  void Query(Store::ReadBody body, Store::Done done);

  // OK, or why the engine stopped for ever: another process has the server's id, or the database lost what it had
  // acknowledged or is another one. All transactions get UNAVAILABLE then.
  [[nodiscard]] absl::Status status() const { return context_->status(); }

  // Waits until every accepted transaction is told; refuses further ones.
  void AwaitTold();
  // Ends retries. Requires: every transaction is told, or nobody waits for it any more.
  void Close() { context_->Close(); }

 private:
  // Which kind of group.
  enum class Kind { kWriting, kReading };
  // Transactions that were cut off a group.
  struct Left {
    RemoteTask task;
    bool alone = false;
  };
  struct Queue {
    std::deque<Left> left;
    TurnQueue<RemoteTask> waiting;
    int running = 0;  // Groups.
  };

  void Accept(Kind kind, RemoteTask task);
  // Takes the task, or returns why not and leaves it as it was.
  [[nodiscard]] absl::Status Enqueue(Kind kind, RemoteTask& task);
  void OnTaken(const absl::Status& status);
  // Begins groups of what waits, as many as may be under way.
  void Pump(Kind kind);
  [[nodiscard]] std::vector<RemoteTask> TakeGroup(Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnEnded(Kind kind, GroupRunner::Ending ending);
  // Tells all transactions that wait UNAVAILABLE. Those that write are refused from now on until a group has ended.
  void OnStuck(Kind kind);
  void NoteTold(size_t count);
  [[nodiscard]] Queue& QueueOf(Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return kind == Kind::kWriting ? writing_ : reading_;
  }

  const std::shared_ptr<RemoteContext> context_;
  const std::shared_ptr<SlotKeeper> slot_;

  mutable absl::Mutex mu_;
  Queue writing_ ABSL_GUARDED_BY(mu_);
  Queue reading_ ABSL_GUARDED_BY(mu_);
  size_t untold_ ABSL_GUARDED_BY(mu_) = 0;  // Accepted transactions whose `done` has not returned.
  bool slot_taken_ ABSL_GUARDED_BY(mu_) = false;
  bool stuck_ ABSL_GUARDED_BY(mu_) = false;  // The slot is of no use for longer than a caller waits.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_ENGINE_H_
