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

// Durable asynchronous work: what a call starts is a row in the call's own commit, which stays until the
// commit that writes down its completion. Between the two a crash loses nothing: Resume takes every row
// up again.
//
//   a call's transaction    puts the row
//   once that is durable    the driver performs the work
//   another transaction     completes it and deletes the row, for many at a time
//
// Servers that share a store perform each other's work when its server ends or dies (work_leases.h). The row names the
// server that holds the work, from the call's own commit on. Whoever finds a row free writes its own name there and
// performs the work; a completion is dropped when the row names another server by then.
//
// Thread-safety: safe, once all drivers are added.
// Lifetime: store, clock, logger and drivers outlive it. Stop it before the drivers' machinery and the
// store.
class WorkQueue {
 public:
  struct Options {
    // Whether no other server can use the store while this one does. Then there are no leases, and Resume takes up all
    // work at once.
    bool sole_server = false;
    // For how long this server's work is its own after it has last told that it lives.
    absl::Duration lease = absl::Seconds(30);
    // How long it waits before it writes down again what the store had no room for, or could not write.
    absl::Duration retry_delay = absl::Seconds(1);
    // How long it waits before it performs again what was UNAVAILABLE: at first, and at most. The wait doubles.
    absl::Duration first_backoff = absl::Seconds(1);
    absl::Duration max_backoff = absl::Minutes(1);
  };

  WorkQueue(Store& store, const Clock& clock, spdlog::logger& logger, const Options& options);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // `kind` is kept on disk: it must stay the same for good, and has one driver. `service` is the full name of the
  // service that the work is for: its rows are those that the driver sees in Table::kResources (service_table.h).
  void AddDriver(std::string kind, std::string_view service, WorkDriver& driver);

  // Stages the work in the transaction; it is performed once that is durable.
  void Schedule(Transaction& txn, std::string_view kind, std::string_view subject);

  // Finds work that nobody holds, and begins this server's lease; before any work is scheduled. Returns how much that
  // is. A damaged row is logged and stays as it is: nobody knows what its work was (`hapaxctl admin inspect`).
  // Errors: the store's; FAILED_PRECONDITION for work of a kind that has no driver.
  [[nodiscard]] absl::StatusOr<int> FindOpenWork();
  // Takes up work that nobody holds, and goes on to look for it every third of a lease. It is apart so that a start
  // that fails in between leaves the drivers alone.
  void TakeUpOpenWork();
  // Both at once.
  [[nodiscard]] absl::StatusOr<int> Resume();

  // How many damaged rows FindOpenWork found.
  [[nodiscard]] int damaged_rows() const { return damaged_rows_; }

  // Renews this server's lease, and takes up work that nobody holds any more. A thread of the queue's own does this
  // every third of a lease; a sole server never does. What fails is logged, and left to the next time.
  void TendLeases();

  // Writes no more completions down, and ends the lease; what is open stays a row. Waits for the transaction that runs.
  void Stop();

 private:
  struct Work {
    std::string key;  // Of its row.
    store::v1::WorkRecord record;
    absl::Status result;            // Once it is performed.
    int unavailable_count = 0;      // How often it was performed and UNAVAILABLE.
    bool completion_tried = false;  // And failed, or succeeded without that being learnt.
  };

  // What does the work of one kind.
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
  std::vector<Work> found_;  // By a sole server, and not taken up yet.
  int damaged_rows_ = 0;

  Monitor tending_;                   // Held by whoever looks at the leases.
  std::optional<WorkLeases> leases_;  // None for a sole server.

  Monitor mu_;
  std::deque<Work> performed_ ABSL_GUARDED_BY(mu_);
  std::multimap<absl::Duration, Work> retries_ ABSL_GUARDED_BY(mu_);  // By when they are due, in monotonic time.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread completer_;
  std::thread lease_keeper_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_
