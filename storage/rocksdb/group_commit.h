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
// All threads are alike: each takes up whatever is to be done next. So the one that runs a lone call's body commits it
// and tells the caller, and nothing is handed over. That, and completions that gather
// (server/operations/work_queue.cc), made p50 of one call at a time 330 to 350 us, which was 400 with a thread for each
// job. While a group is being synced, the next one gathers company.
//
// Nothing is told before it is durable: a group's callers are told, the refused and the replayed ones too, when the
// group has been committed, which is after every group it could have read from. A group that read from one that could
// not be committed is not committed either; its callers get UNAVAILABLE.
//
// A group belongs to the database that its first body reads from, and is written to that one or to none: what was
// decided on the state before a failure (engine.h) is never written after it. In a database that
// has failed, a transaction that writes gets UNAVAILABLE, and one that only reads succeeds.
//
// Groups are small, in number and in bytes, and parties take turns in them by the bytes that their transactions read
// and write. So another's backlog delays a transaction by one body and two groups.
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
  void Execute(Store::Body body, Store::Done done, std::string_view party = "");

 private:
  // A transaction that waits to be run.
  struct Task {
    std::string party;
    Store::Body body;
    Store::Done done;
  };
  // A transaction that was run.
  struct Completion {
    absl::Status status;
    Store::Done done;
    // Run before `done`; only when the status is OK.
    std::vector<absl::AnyInvocable<void()>> hooks;
  };
  // Transactions that are committed together.
  struct Group {
    // What its bodies read from and it is written to; null before its first body, when there is none just
    // now (`status` says why), and once it is settled.
    std::shared_ptr<Database> database;
    Overlay writes;
    std::vector<Completion> completions;
    int64_t bytes = 0;                         // That its bodies read and wrote.
    absl::flat_hash_set<std::string> parties;  // With a name.
    // The group before, while its writes may not be in the database yet; null when it was done already.
    std::shared_ptr<const Group> before;
    // Whether it was committed: final once it is not committing_ any more.
    absl::Status status;
  };

  void Work();
  [[nodiscard]] bool CanRunBodies() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] bool CanCommit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] bool CanEnd() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeWhomItTakes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Sleep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // These release the lock while they work.
  void RunBodies() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Commit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void Bind(Group& group) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether one more body may be run into the group.
  [[nodiscard]] bool HasRoom(const Group& group) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A body of the party's was run into the group.
  void NoteRun(std::string party, int64_t bytes, Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void RunBody(Task task, Group& group);
  static void Tell(std::vector<Completion> completions);

  RocksDbEngine& engine_;
  const size_t max_waiting_;

  absl::Mutex mu_;
  TurnQueue<Task> waiting_ ABSL_GUARDED_BY(mu_);
  // What bodies are run into: by one thread without the lock, while running_.
  std::shared_ptr<Group> gathering_ ABSL_GUARDED_BY(mu_) = std::make_shared<Group>();
  bool running_ ABSL_GUARDED_BY(mu_) = false;
  int shared_groups_ ABSL_GUARDED_BY(mu_) = 0;              // As many are to come for which several parties are about.
  std::shared_ptr<Group> committing_ ABSL_GUARDED_BY(mu_);  // Null when none is.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;

  absl::CondVar wakeup_;
  int sleeping_ ABSL_GUARDED_BY(mu_) = 0;
  int woken_ ABSL_GUARDED_BY(mu_) = 0;  // Of the sleeping, but not up yet.

  std::vector<std::thread> threads_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_GROUP_COMMIT_H_
