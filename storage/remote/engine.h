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
// that may write, on a slot of the server's, and a few of queries (group_runner.h). While the outcome of a group is
// unknown, others go on with another slot.
//
// It blocks nobody and has no thread: everything runs on the executor. So tests drive several engines step by step.
// RemoteStore (store.h) gives it threads.
//
// A group has the transactions that wait when its turn comes. Parties take turns (turn_queue.h). Those that were cut
// off a group come before all others. Those that conflicted with other servers come back after a pause: first together,
// then each in a group of its own.
//
// While no slot is of use, such as when the database has no room, transactions run as queries do. So those that only
// read are served, and those that write are refused with the database's reason.
//
// Thread-safety: safe. Lifetime: it keeps itself alive while a group is under way.
class RemoteEngine : public std::enable_shared_from_this<RemoteEngine> {
 public:
  RemoteEngine(const RemoteOptions& options, RemoteBackend& backend, RemoteExecutor& executor);

  // Start (S): takes the slots. Transactions wait until one is ours, queries do not. Requires: called once.
  void Start();

  // See Store. `body` of Query only reads.
  void Execute(Store::Body body, Store::Done done, std::string_view party);
  void Query(Store::ReadBody body, Store::Done done);

  [[nodiscard]] const std::shared_ptr<RemoteContext>& context() const { return context_; }

  // OK, or why the engine stopped for ever: another process has the server's id, or the database lost what it had
  // acknowledged or is another one. All transactions get UNAVAILABLE then.
  [[nodiscard]] absl::Status status() const { return context_->status(); }

  // OK, or why the database cannot be read or written at the moment, in its words.
  [[nodiscard]] absl::Status health() const;
  // The same of reads alone.
  [[nodiscard]] absl::Status read_health() const { return context_->read_error(); }

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
  struct Slot {
    std::shared_ptr<SlotKeeper> keeper;
    bool is_taken = false;
    bool has_group = false;
    bool is_resolving = false;  // The outcome of its group was unknown.
    bool is_stuck = false;      // It is of no use for longer than a caller waits.
  };
  struct Queue {
    std::deque<Left> left;
    TurnQueue<RemoteTask> waiting;
    int running = 0;  // Groups.

    [[nodiscard]] bool empty() const { return left.empty() && waiting.empty(); }
  };
  static constexpr size_t kNoSlot = ~size_t{0};  // Of groups of queries.

  void Accept(Kind kind, RemoteTask task);
  // Takes the task, or returns why not and leaves it as it was. While no slot is of use, `kind` becomes kReading.
  [[nodiscard]] absl::Status Enqueue(Kind& kind, RemoteTask& task);
  void OnTaken(size_t slot, const absl::Status& status);
  // Begins groups of what waits, as many as may be under way.
  void Pump(Kind kind);
  void BeginGroup(Kind kind, size_t slot);
  // The slot for the next group; kNoSlot: none, or a group is under way whose outcome will be known.
  [[nodiscard]] size_t FreeSlot() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] bool AllStuck() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnResolving(size_t slot);
  [[nodiscard]] std::vector<RemoteTask> TakeGroup(Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnEnded(Kind kind, size_t slot, GroupRunner::Ending ending);
  // Has the tasks run again after a pause, or tells them that they conflict too often.
  void RunLater(Kind kind, std::vector<RemoteTask> tasks);
  // Tells all transactions that wait UNAVAILABLE. If the database can be read, those that may write run on another slot
  // instead, or as queries until a slot is of use again. `readers` wait, too.
  void OnStuck(Kind kind, size_t slot, std::vector<RemoteTask> readers);
  // What waits. It is in no queue any more.
  [[nodiscard]] std::vector<RemoteTask> TakeAll(Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TellAll(std::vector<RemoteTask> tasks, const absl::Status& status);
  void NoteTold(size_t count);
  [[nodiscard]] Queue& QueueOf(Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return kind == Kind::kWriting ? writing_ : reading_;
  }

  const std::shared_ptr<RemoteContext> context_;

  mutable absl::Mutex mu_;
  Queue writing_ ABSL_GUARDED_BY(mu_);
  Queue reading_ ABSL_GUARDED_BY(mu_);
  bool has_told_ ABSL_GUARDED_BY(mu_) = false;  // The last group that writes, all of its callers.
  size_t untold_ ABSL_GUARDED_BY(mu_) = 0;      // Accepted transactions whose `done` has not returned.
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_ENGINE_H_
