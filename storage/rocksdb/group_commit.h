#ifndef HAPAX_STORAGE_ROCKSDB_GROUP_COMMIT_H_
#define HAPAX_STORAGE_ROCKSDB_GROUP_COMMIT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/turn_queue.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/rocksdb/database.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/storage/store.h"

namespace hapax {

// Runs transaction bodies one after another and makes them durable in groups.
//
//   one thread     runs bodies into group N+1, reading through N+1, then N, then the database
//   another        writes group N to the database as one batch, with one fsync
//   a third        tells group N-1's callers
//
// All threads are alike: each takes the next job that is ready. So the thread that runs a lone call's body also commits
// it and tells the caller, without handing anything over. With this and gathered completions
// (server/operations/work_queue.cc) the p50 of one call at a time is 330 to 350 us; it was 400 with a thread for each
// job. While a group is synced, the next one fills.
//
// Nothing is told before it is durable. Callers are told once their group is committed, including those whose calls
// were refused or replayed. Groups commit in order, so every group they could have read from is durable by then. A
// group that read from a failed group fails, too; its callers get UNAVAILABLE.
//
// A group belongs to the database that its first body reads from, and is never written to another. So a decision made
// on the state before a failure (engine.h) is not written after it. In a failed database, a transaction that writes
// gets UNAVAILABLE, and one that only reads succeeds.
//
// Groups are small, in number and in bytes, and parties take turns in them by the bytes that their transactions read
// and write. So another party's backlog delays a transaction by one body and two groups.
//
// Thread-safety: safe.
// Lifetime: `engine` outlives it. The destructor commits the waiting transactions, and returns when all callers are
// told.
class GroupCommit {
 public:
  GroupCommit(RocksDbEngine& engine, size_t max_waiting);
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // See Store::Execute.
  void Execute(Store::Body body, Store::Done done, std::string_view party = "");

 private:
  // A transaction waiting to run.
  struct Task {
    std::string party;
    Store::Body body;
    Store::Done done;
  };
  // A transaction whose body has run.
  struct Completion {
    absl::Status status;
    Store::Done done;
    // Run before `done`, only if the status is OK.
    std::vector<absl::AnyInvocable<void()>> hooks;
  };
  // Transactions that are committed together.
  struct Group {
    // The database that its bodies read from and that it is written to. Null before the first body, after the commit,
    // and when none is open (`status` says why).
    std::shared_ptr<Database> database;
    Overlay writes;
    std::vector<Completion> completions;
    int64_t bytes = 0;                         // Read and written by its bodies.
    absl::flat_hash_set<std::string> parties;  // Named parties.
    // The previous group, while its writes may not be in the database yet; else null.
    std::shared_ptr<const Group> before;
    // Whether it was committed; final once it is no longer committing_.
    absl::Status status;
  };

  void Work();
  [[nodiscard]] bool CanRunBodies() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] bool CanCommit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] bool CanEnd() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeForMoreWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Sleep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // These release the lock while they work.
  void RunBodies() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Commit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void ChooseDatabase(Group& group) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether one more body may be run into the group.
  [[nodiscard]] bool HasRoom(const Group& group) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Records that a body of the party ran in the group.
  void NoteRun(std::string party, int64_t bytes, Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void RunBody(Task task, Group& group);
  static void NotifyCallers(std::vector<Completion> completions);

  RocksDbEngine& engine_;
  const size_t max_waiting_;

  absl::Mutex mu_;
  TurnQueue<Task> waiting_ ABSL_GUARDED_BY(mu_);
  // The group that bodies run into; one thread uses it without the lock while running_.
  std::shared_ptr<Group> gathering_ ABSL_GUARDED_BY(mu_) = std::make_shared<Group>();
  bool running_ ABSL_GUARDED_BY(mu_) = false;
  int shared_groups_ ABSL_GUARDED_BY(mu_) = 0;              // How many more groups limit each party's share.
  std::shared_ptr<Group> committing_ ABSL_GUARDED_BY(mu_);  // Null if none is being committed.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;

  absl::CondVar wakeup_;
  int sleeping_ ABSL_GUARDED_BY(mu_) = 0;
  int woken_ ABSL_GUARDED_BY(mu_) = 0;  // Sleeping threads that were signalled but have not run yet.

  std::vector<std::thread> threads_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_GROUP_COMMIT_H_
