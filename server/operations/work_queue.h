#ifndef HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_
#define HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
#include "hapax/server/hosting/work_status.h"
#include "hapax/server/operations/clock_skew.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/server/operations/work_leases.h"
#include "hapax/server/operations/work_of_kind.h"
#include "hapax/storage/store.h"
#include "hapax/store/v1/work.pb.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// Durable asynchronous work. A call's own commit writes a row for the work that it starts. The commit that records the
// completion deletes the row. A crash in between loses nothing: Resume takes up every row again.
//
//   a call's transaction    puts the row
//   once that is durable    the driver performs the work
//   another transaction     completes it and deletes the row, for many at a time
//
// Work fails if its driver throws, or its completion fails. It is tried again, after a backoff that doubles. After
// Options::max_failures it is parked: its row stays, and the next start or RetryParked performs it again. No piece
// delays another.
//
// Servers that share a store take over each other's work when a server ends or dies (work_leases.h). A row names the
// server that holds the work, from the call's own commit on. A server that finds a free row writes its own name into it
// and performs the work. A completion is dropped if the row names another server by then.
//
// A commit may turn out to be durable after its caller was told UNAVAILABLE. Its hook does not run then
// (Transaction::OnCommit), so a server may hold work that it does not know of. It looks for such rows, too.
//
// Thread-safety: safe, once all drivers are added.
// Lifetime: store, clock, logger and registry outlive it; drivers outlive Stop. A `done` that is called after it is
// destroyed has no effect. Stop it before the store.
class WorkQueue final : public WorkControl {
 public:
  struct Options {
    // Whether no other server can use the store at the same time. Then there are no leases, and Resume takes up all
    // work at once.
    bool sole_server = false;
    // The time for which this server keeps its work after its last renewal.
    absl::Duration lease = absl::Seconds(30);
    // The server's own name, by which others report its clock.
    std::string server_id;
    // The difference to the wall clock of another server from which on it is logged.
    absl::Duration max_clock_skew = absl::InfiniteDuration();
    // The delay before a write that the store could not do is tried again.
    absl::Duration retry_delay = absl::Seconds(1);
    // The first and the longest wait before work that was UNAVAILABLE or failed is tried again. The wait doubles.
    absl::Duration first_backoff = absl::Seconds(1);
    absl::Duration max_backoff = absl::Minutes(1);
    // The number of failures after which a piece of work is parked.
    int max_failures = 10;
    // The time after which a performance that has not ended is listed in Status.
    absl::Duration long_running = absl::Minutes(1);
    // The registry for `hapax_pending_work`, `hapax_parked_work`, `hapax_work_failures_total`, and of servers that
    // share a store `hapax_clock_skew_seconds`. Null: not exported.
    prometheus::Registry* registry = nullptr;
  };

  WorkQueue(Store& store, const Clock& clock, spdlog::logger& logger, const Options& options);
  ~WorkQueue() override;
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Adds the only driver of `kind`, a name that is stored on disk and must never change. `service` is the full name of
  // the service that the work is for. The driver sees the rows of that service in Table::kResources (service_table.h).
  // CheckDrivers reports a second driver of a kind. After CheckDrivers, a driver is refused, which is logged.
  void AddDriver(std::string_view kind, std::string_view service, WorkDriver& driver);

  // Checks the drivers, and admits no more of them. Called by the start of a server, before FindOpenWork.
  // `services`: the full names of the hosted services.
  // Errors: INVALID_ARGUMENT: a kind was given twice, or its service is not hosted (naming the kind and the service).
  [[nodiscard]] absl::Status CheckDrivers(const std::vector<std::string_view>& services);

  // Schedules the work in the transaction; it is performed once that is durable. An error refuses the transaction, too,
  // so that it leaves nothing.
  // Errors: FAILED_PRECONDITION: the kind has no driver. It names the kinds that have one.
  [[nodiscard]] absl::Status Schedule(Transaction& txn, std::string_view kind, std::string_view subject);

  // For servers that share a store; for a sole server they do nothing, and find no other.
  // Begins the lease of this server.
  [[nodiscard]] absl::Status BeginLease();
  // Renews that lease, and tells what the leases say of other servers (work_leases.h).
  [[nodiscard]] absl::StatusOr<WorkLeases::Others> LookForOthers();
  // Returns what is known of the wall clocks of other servers, as of the last look at the leases.
  [[nodiscard]] std::vector<OtherClock> OtherClocks();
  // Whether no other server has a lease.
  [[nodiscard]] absl::StatusOr<bool> IsAlone(const ReadTransaction& txn) const;

  // Finds work without a holder, and begins the lease of this server. Must be called before any work is scheduled.
  // Returns the number of pieces that can be done. Work of a kind without a driver is logged, and parked by a sole
  // server. A damaged row is logged and left unchanged, since its work is unknown (`hapaxctl admin inspect`).
  // Errors: those of the store.
  [[nodiscard]] absl::StatusOr<int> FindOpenWork();
  // Takes up the work without a holder, and looks for more every third of a lease. Separate from FindOpenWork, so that
  // a start that fails in between does not use the drivers.
  void TakeUpOpenWork();
  // Calls FindOpenWork and TakeUpOpenWork.
  [[nodiscard]] absl::StatusOr<int> Resume();

  // The number of damaged rows that FindOpenWork found.
  [[nodiscard]] int damaged_rows() const { return damaged_rows_; }

  // Returns the work that this server holds. Of each kind and state it lists at most 100 pieces, the earliest scheduled
  // ones.
  [[nodiscard]] WorkStatus Status() const override;
  [[nodiscard]] absl::StatusOr<int64_t> RetryParked(std::string_view kind) override;

  // Renews the lease of this server, takes up work without a holder, and reports the skew of clocks. The queue's own
  // thread does this every third of a lease, but never for a sole server. An error is logged, and retried the next
  // time.
  void TendLeases();

  // Commits no more completions, and ends the lease. Open work keeps its row. Waits for the running transaction, but
  // not for work whose `done` is outstanding.
  void Stop();

 private:
  // The way from a driver's `done` to the queue. It ends when the queue is destroyed.
  struct DoneRoute {
    Monitor mu;
    WorkQueue* queue ABSL_GUARDED_BY(mu) = nullptr;  // Null once the queue is destroyed.
  };

  // A row of work without a holder.
  struct FreeWork {
    std::string key;
    store::v1::WorkRecord record;
  };

  // Includes the rows that this server holds without knowing of them.
  [[nodiscard]] absl::StatusOr<std::vector<FreeWork>> FindFreeWork(std::vector<std::string>* damaged_keys) const;
  [[nodiscard]] bool HoldsUnknowingly(const FreeWork& work) const;
  // Removes those from `works` that this server may learn of yet, since their hooks are about to run.
  void AwaitHooks(std::vector<FreeWork>& works);
  // Removes the work without a driver from `works`. Logs it, and parks it here or leaves it to other servers.
  void SetAsideWhatHasNoDriver(std::vector<FreeWork>& works);
  [[nodiscard]] absl::Status TakeUpFreeWork();
  [[nodiscard]] absl::Status Take(std::vector<FreeWork>& works);
  void RunLeaseKeeper();

  // Whether the work is open, and still held by the holder in the record.
  [[nodiscard]] static absl::StatusOr<bool> IsHeld(const ReadTransaction& txn, std::string_view key,
                                                   const store::v1::WorkRecord& record);

  // Returns the kind if it has a driver; else null.
  [[nodiscard]] WorkOfKind* FindKind(std::string_view name);
  [[nodiscard]] absl::Status NoDriverError(std::string_view kind) const;
  [[nodiscard]] WorkPiece* Add(WorkOfKind& kind, std::string key, store::v1::WorkRecord record);

  // A piece is with its driver, in a queue, with the completer, or parked. Only its current owner uses it, except for
  // the members that Status reads, which change under the lock.
  void Perform(WorkPiece& piece);
  void OnPerformed(WorkOfKind& kind, uint64_t performance, absl::Status result);
  void PerformAgain(WorkPiece& piece);
  [[nodiscard]] WorkPiece* EndPerformance(uint64_t performance) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetState(WorkPiece& piece, WorkState state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Fail(WorkPiece& piece, const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteError(WorkPiece& piece, const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RetryAfter(WorkPiece& piece, absl::Duration delay) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Duration BackoffOf(int count) const;
  [[nodiscard]] absl::Duration NextRetry() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Calls `visit` with every piece of the kind, under the lock. Releases the lock from time to time.
  template <typename Kind, typename Visit>
  void VisitPieces(Kind& kind, Visit visit) const;
  [[nodiscard]] bool IsStopping() const;

  // work_completion.cc
  using Batch = std::vector<WorkPiece*>;
  void RunCompleter();
  [[nodiscard]] Batch TakePerformed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] Batch TakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Complete(const Batch& batch);
  [[nodiscard]] absl::Status CompleteAll(const Batch& batch);
  void CompleteApart(const Batch& batch);
  [[nodiscard]] absl::Status CompleteIn(Transaction& txn, const WorkPiece& piece);
  void OnCompletionTried(const Batch& batch, const std::vector<absl::Status>& results);

  Store& store_;
  const Clock& clock_;
  spdlog::logger& logger_;
  const Options options_;
  const std::unique_ptr<prometheus::Registry> own_registry_;  // Null if the options have a registry.
  const WorkMetrics metrics_;
  std::map<std::string, WorkOfKind, std::less<>> kinds_;
  absl::Status driver_error_;  // Of the first kind that was given twice.
  std::atomic<bool> drivers_are_complete_ = false;
  const std::shared_ptr<DoneRoute> done_route_ = std::make_shared<DoneRoute>();
  std::vector<FreeWork> found_;  // Found by a sole server, but not taken up yet.
  int damaged_rows_ = 0;

  Monitor tending_;                           // Guards the use of the following three members.
  std::optional<WorkLeases> leases_;          // Absent for a sole server.
  std::optional<ClockSkewWatch> clock_skew_;  // Likewise.
  std::set<std::string> unknown_;             // The keys that this server held unknowingly at the last look.

  mutable Monitor mu_;
  uint64_t last_performance_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<uint64_t, WorkPiece*> performing_ ABSL_GUARDED_BY(mu_);  // By the number of the performance.
  std::deque<WorkPiece*> performed_ ABSL_GUARDED_BY(mu_);                      // Waiting for completion.
  std::multimap<absl::Duration, WorkPiece*> retries_ ABSL_GUARDED_BY(mu_);     // By due time, monotonic.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread completer_;
  std::thread lease_keeper_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_QUEUE_H_
