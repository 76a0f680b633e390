#ifndef HAPAX_STORAGE_REMOTE_SQL_RUNNER_H_
#define HAPAX_STORAGE_REMOTE_SQL_RUNNER_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/worker_pool.h"
#include "hapax/storage/remote/context.h"
#include "hapax/storage/remote/group_run.h"
#include "hapax/storage/remote/sql_lanes.h"
#include "hapax/storage/store.h"

namespace hapax {

// Runs transactions with statements of SQL (Store::ExecuteWithSql), each as a group of its own on a lane.
//
//   run    the body on guesses, up to its first use of SQL: tells what it reads
//   begin  a transaction of the database that locks these names, then reads them
//   run    the body, whose statements run in that transaction. If it reads more than was locked: from the beginning
//   commit compares, puts the slot and what the body wrote, and commits, all with the statements
//
// One party has half of the lanes at most, so handlers of one tenant that wait leave the others theirs.
//
// What the database rolled back for another's sake is run again, until the patience of its caller ends. An outcome that
// is not known is found out by the slot, as for other groups (slot_keeper.h).
//
// Thread-safety: safe. Lifetime: until Close.
class SqlRunner {
 public:
  // Requires: the backend has SQL.
  explicit SqlRunner(std::shared_ptr<RemoteContext> context);

  // Returns when every `done` has returned. Further transactions get UNAVAILABLE.
  void Close();

  // See Store::ExecuteWithSql.
  void Execute(Store::Body body, Store::Done done, std::string_view party);

 private:
  using Task = std::shared_ptr<RemoteTask>;
  struct Party {
    size_t running = 0;
    std::deque<Task> parked;  // Whose turn came while enough were running.
  };

  // Runs the task, and then what was parked of its party. Parks it if enough of that are running.
  void Run(Task task);
  [[nodiscard]] bool MayRun(const Task& task);
  // The next task for a thread that has ended one of the party's; null: none.
  [[nodiscard]] Task Next(const std::string& party);

  const std::shared_ptr<RemoteContext> context_;
  const std::shared_ptr<SqlLanes> lanes_;
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, Party> parties_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<WorkerPool> pool_ ABSL_GUARDED_BY(mu_);  // Null: closed.
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_SQL_RUNNER_H_
