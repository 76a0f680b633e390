#ifndef HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_
#define HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/storage/clock.h"
#include "hapax/storage/monitor.h"
#include "hapax/storage/store.h"
#include "hapax/store/v1/work.pb.h"
#include "spdlog/logger.h"

namespace hapax {

// One kind of asynchronous work. A subject is the driver's own name for what the work is done on.
//
// Thread-safety: safe.
class WorkDriver {
 public:
  virtual ~WorkDriver() = default;

  // Does the part of the work that lies outside the store, and calls `done`, now or later, from any thread.
  // It is called again for work that a crash interrupted, so it must not do it twice for a subject.
  virtual void Perform(const std::string& subject, absl::AnyInvocable<void() &&> done) = 0;

  // Writes down that the work is done. It may be run again, as every body of a transaction.
  [[nodiscard]] virtual absl::Status Complete(const std::string& subject, Transaction& txn) = 0;
};

// Durable asynchronous work: what a call starts is a row in the call's own commit, which stays until the
// commit that writes down its completion. Between the two a crash loses nothing: Resume takes every row
// up again.
//
//   a call's transaction    puts the row
//   once that is durable    the driver performs the work
//   another transaction     completes it and deletes the row, for many at a time
//
// Thread-safety: safe, once all drivers are added.
// Lifetime: store, clock, logger and drivers outlive it. Stop it before the drivers' machinery and the
// store.
class WorkQueue {
 public:
  // `retry_delay`: how long it waits before it writes down again what the store had no room for, or could not write.
  WorkQueue(Store& store, const Clock& clock, spdlog::logger& logger, absl::Duration retry_delay = absl::Seconds(1));
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // `kind` is kept on disk: it must stay the same for good, and has one driver. `service` is the full name of the
  // service that the work is for: its rows are those that the driver sees in Table::kResources (service_table.h).
  void AddDriver(std::string kind, std::string_view service, WorkDriver& driver);

  // Stages the work in the transaction; it is performed once that is durable.
  void Schedule(Transaction& txn, std::string_view kind, std::string_view subject);

  // Finds what an earlier server left; before any work is scheduled. Returns how much that is. A damaged row is logged
  // and stays as it is: nobody knows what its work was (`hapaxctl admin inspect`).
  // Errors: the store's; FAILED_PRECONDITION for work of a kind that has no driver.
  [[nodiscard]] absl::StatusOr<int> FindOpenWork();
  // Takes up what FindOpenWork found. It is apart so that a start that fails in between leaves the drivers alone.
  void TakeUpOpenWork();
  // Both at once.
  [[nodiscard]] absl::StatusOr<int> Resume();

  // How many damaged rows FindOpenWork found.
  [[nodiscard]] int damaged_rows() const { return damaged_rows_; }

  // Writes no more completions down; what is open stays a row. Waits for the transaction that runs.
  void Stop();

 private:
  struct Work {
    std::string key;  // Of its row.
    store::v1::WorkRecord record;
    bool tried = false;  // To complete it, which failed, or succeeded without that being learnt.
  };

  // What does the work of one kind.
  struct Driver {
    WorkDriver* driver = nullptr;
    std::string table_prefix;  // Of its service's rows.
  };

  void Start(Work work);
  void RunCompleter();
  [[nodiscard]] absl::Status CompleteAll(const std::vector<Work>& works);
  void CompleteOneByOne(std::vector<Work> works);
  void WaitBeforeRetry();

  Store& store_;
  const Clock& clock_;
  spdlog::logger& logger_;
  const absl::Duration retry_delay_;
  absl::flat_hash_map<std::string, Driver> drivers_;
  std::vector<Work> found_;  // And not taken up yet.
  int damaged_rows_ = 0;

  Monitor mu_;
  std::deque<Work> performed_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread completer_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_
