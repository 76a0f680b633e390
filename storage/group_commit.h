#ifndef HAPAX_STORAGE_GROUP_COMMIT_H_
#define HAPAX_STORAGE_GROUP_COMMIT_H_

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/completion_threads.h"
#include "hapax/storage/database.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/rocksdb_engine.h"
#include "hapax/storage/store.h"

namespace hapax {

// Runs transaction bodies one after another and makes them durable in groups.
//
//   executor thread     runs bodies into group N+1, reading through N+1, then N, then the database
//   committer thread    writes group N to the database as one batch, with one fsync
//   completion threads  tell group N-1's callers
//
// A group is handed over as soon as the committer is free, so a lone call waits for nobody, and while
// one group syncs, the next one gathers company. Nothing is told before it is
// durable: a group's callers are told, the refused and the replayed ones too, when the group has been committed, which
// is after every group it could have read from. A group that read from one that could not be committed is not committed
// either; its callers get UNAVAILABLE.
//
// A group belongs to the database that its first body reads from, and is written to that one or to none: what was
// decided on the state before a failure (rocksdb_engine.h) is never written after it. In a database that
// has failed, a transaction that writes gets UNAVAILABLE, and one that only reads succeeds.
//
// Thread-safety: safe.
// Lifetime: `engine` outlives it. The destructor commits what waits, and returns when all are told.
class GroupCommit {
 public:
  GroupCommit(RocksDbEngine& engine, size_t max_waiting);
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // As Store::Execute.
  void Execute(Store::Body body, Store::Done done);

 private:
  // A transaction that waits to be run.
  struct Task {
    Store::Body body;
    Store::Done done;
  };
  // Transactions that are committed together.
  struct Group {
    // What its bodies read from and it is written to; null before its first body, when there is none just
    // now (`status` says why), and once it is settled.
    std::shared_ptr<Database> database;
    Overlay writes;
    std::vector<Completion> completions;
    // The group before, while its writes may not be in the database yet; null when it was done already.
    std::shared_ptr<const Group> before;
    // Whether it was committed: final once the committer is free again.
    absl::Status status;
  };

  void RunExecutor();
  void RunCommitter();
  [[nodiscard]] std::vector<Task> TakeTasks(Group& group);
  void Bind(Group& group) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void HandOver(std::shared_ptr<Group>& group);
  static void RunBody(Task task, Group& group);

  RocksDbEngine& engine_;
  const size_t max_waiting_;
  CompletionThreads completion_threads_;

  absl::Mutex mu_;
  absl::CondVar executor_wakeup_;
  absl::CondVar committer_wakeup_;
  std::vector<Task> waiting_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<Group> committing_ ABSL_GUARDED_BY(mu_);  // Null: the committer is free.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  bool executor_done_ ABSL_GUARDED_BY(mu_) = false;

  std::thread executor_;
  std::thread committer_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_GROUP_COMMIT_H_
