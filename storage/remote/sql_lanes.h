#ifndef HAPAX_STORAGE_REMOTE_SQL_LANES_H_
#define HAPAX_STORAGE_REMOTE_SQL_LANES_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/context.h"
#include "hapax/storage/remote/slot_keeper.h"

namespace hapax {

// What one transaction with SQL at a time uses.
struct SqlLane {
  std::shared_ptr<SlotKeeper> slot;
  std::unique_ptr<RemoteSqlSession> session;
  bool is_taken = false;  // The slot is ours.
};

// The lanes of a server. One whose slot's state is not known is of no use, and comes back once it is known.
//
// Thread-safety: safe. Each method may block its thread until monotonic time `deadline`.
// Lifetime: it keeps itself alive while a slot's state is being found out.
class SqlLanes : public std::enable_shared_from_this<SqlLanes> {
 public:
  explicit SqlLanes(std::shared_ptr<RemoteContext> context);

  // A lane whose slot is ours. Null: none by `deadline`, or the engine stopped.
  [[nodiscard]] std::unique_ptr<SqlLane> Take(absl::Duration deadline);
  void Return(std::unique_ptr<SqlLane> lane);

  // Finds out whether the last group on the lane's slot was applied (SlotKeeper::Resolve). Returns false if that is not
  // known by `deadline`: the lane is null then.
  // Errors, with which the engine stops: FAILED_PRECONDITION.
  [[nodiscard]] absl::StatusOr<bool> Resolve(std::unique_ptr<SqlLane>& lane, absl::Duration deadline);

 private:
  struct Wait;
  void Stop(const absl::Status& reason);
  [[nodiscard]] absl::StatusOr<bool> AwaitSlot(std::unique_ptr<SqlLane>& lane, absl::Duration deadline);

  const std::shared_ptr<RemoteContext> context_;
  Monitor mu_;
  std::vector<std::unique_ptr<SqlLane>> free_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_SQL_LANES_H_
