#ifndef HAPAX_STORAGE_REMOTE_SQL_RUNNER_H_
#define HAPAX_STORAGE_REMOTE_SQL_RUNNER_H_

#include <memory>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/worker_pool.h"
#include "hapax/storage/remote/context.h"
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
  const std::shared_ptr<RemoteContext> context_;
  const std::shared_ptr<SqlLanes> lanes_;
  absl::Mutex mu_;
  std::unique_ptr<WorkerPool> pool_ ABSL_GUARDED_BY(mu_);  // Null: closed.
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_SQL_RUNNER_H_
