#ifndef HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_
#define HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/base/monitor.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/server/operations/work_leases.h"
#include "hapax/storage/store.h"
#include "hapax/store/v1/work.pb.h"
#include "spdlog/logger.h"

namespace hapax {

// Durable asynchronous work. A call's own commit writes a row for the work that it starts; the commit that records the
// completion deletes it. A crash in between loses nothing: Resume takes up every row again.
//
//   a call's transaction    puts the row
//   once that is durable    the driver performs the work
//   another transaction     completes it and deletes the row, for many at a time
//
// Servers that share a store perform each other's work when a server ends or dies (work_leases.h). The row names the
// server that holds the work, from the call's commit on. A server that finds a free row writes its own name there and
// performs the work. A completion is dropped if the row names another server by then.
//
// Thread-safety: safe, once all drivers are added.
// Lifetime: store, clock, logger and drivers outlive it. Stop it before the drivers' threads end and before the store
// is closed.
class WorkQueue {
 public:
  struct Options {
    // Whether no other server can use the store at the same time. Then there are no leases, and Resume takes up all
    // work at once.
    bool sole_server = false;
    // How long this server keeps its work after its last renewal.
    absl::Duration lease = absl::Seconds(30);
    // The delay before retrying a write that the store could not do.
    absl::Duration retry_delay = absl::Seconds(1);
    // The delay before performing UNAVAILABLE work again: the first and the longest. It doubles each time.
    absl::Duration first_backoff = absl::Seconds(1);
    absl::Duration max_backoff = absl::Minutes(1);
  };

  WorkQueue(Store& store, const Clock& clock, spdlog::logger& logger, const Options& options);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // `kind` is stored on disk, so it must never change; it has one driver. `service` is the full name of the service
  // that the work is for: the driver sees its rows in Table::kResources (service_table.h).
  void AddDriver(std::string kind, std::string_view service, WorkDriver& driver);

  // Stages the work in the transaction; it is performed once the commit is durable.
  void Schedule(Transaction& txn, std::string_view kind, std::string_view subject);

  // Finds work that nobody holds, and begins this server's lease. Call it before any work is scheduled. Returns the
  // number of works. A damaged row is logged and kept: nobody knows its work (`hapaxctl admin inspect`).
  // Errors: those of the store; FAILED_PRECONDITION for work of a kind without a driver.
  [[nodiscard]] absl::StatusOr<int> FindOpenWork();
  // Takes up the work that nobody holds, and looks for more every third of a lease. Separate from FindOpenWork, so that
  // a start that fails in between does not use the drivers.
  void TakeUpOpenWork();
  // FindOpenWork and TakeUpOpenWork.
  [[nodiscard]] absl::StatusOr<int> Resume();

  // The number of damaged rows that FindOpenWork found.
  [[nodiscard]] int damaged_rows() const { return damaged_rows_; }

  // Renews this server's lease, and takes up work that nobody holds any more. The queue's own thread does this every
  // third of a lease, except for a sole server. A failure is logged, and retried the next time.
  void TendLeases();

  // Writes no more completions, and ends the lease; open work keeps its row. Waits for the running transaction.
  void Stop();

 private:
  struct Work {
    std::string key;  // Of its row.
    store::v1::WorkRecord record;
    absl::Status result;            // Set once it is performed.
    int unavailable_count = 0;      // How many performances ended UNAVAILABLE.
    bool completion_tried = false;  // A completion failed, or its success is unknown.
  };

  // The driver of one kind of work.
  struct Driver {
    WorkDriver* driver = nullptr;
    std::string table_prefix;  // Of its service's rows.
  };

  [[nodiscard]] absl::StatusOr<std::vector<Work>> FindFreeWork(std::vector<std::string>* damaged_keys) const;
  [[nodiscard]] absl::Status TakeUpFreeWork();
  [[nodiscard]] absl::Status Take(std::vector<Work>& works);

  void Perform(Work work);
  void OnPerformed(Work work, absl::Status result);
  void PerformAgain(Work work);
  [[nodiscard]] absl::Duration BackoffOf(const Work& work) const;
  [[nodiscard]] static absl::StatusOr<bool> IsHeld(const ReadTransaction& txn, const Work& work);

  void RunCompleter();
  [[nodiscard]] absl::Duration NextRetry() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Complete(std::vector<Work> works);
  [[nodiscard]] absl::Status CompleteAll(const std::vector<Work>& works);
  void CompleteOneByOne(std::vector<Work> works);
  void WaitBeforeRetry();
  void RunLeaseKeeper();

  Store& store_;
  const Clock& clock_;
  spdlog::logger& logger_;
  const Options options_;
  absl::flat_hash_map<std::string, Driver> drivers_;
  std::vector<Work> found_;  // Found by a sole server, and not taken up yet.
  int damaged_rows_ = 0;

  Monitor tending_;                   // Guards the use of leases_.
  std::optional<WorkLeases> leases_;  // None for a sole server.

  Monitor mu_;
  std::deque<Work> performed_ ABSL_GUARDED_BY(mu_);
  std::multimap<absl::Duration, Work> retries_ ABSL_GUARDED_BY(mu_);  // By due time; monotonic.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread completer_;
  std::thread lease_keeper_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_
