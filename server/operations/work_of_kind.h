#ifndef HAPAX_SERVER_OPERATIONS_WORK_OF_KIND_H_
#define HAPAX_SERVER_OPERATIONS_WORK_OF_KIND_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/server/hosting/work_status.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/store/v1/work.pb.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace hapax {

class WorkOfKind;

// A piece of work that this server holds.
struct WorkPiece {
  WorkOfKind* kind = nullptr;
  std::string_view key;  // The key of its row.
  store::v1::WorkRecord record;
  WorkState state = WorkState::kRunning;  // Changed only by WorkOfKind::SetState.
  absl::Time since;                       // When it entered that state.
  absl::Duration since_monotonic;
  int attempts = 0;           // The number of performances and retried completions.
  int failures = 0;           // Failures since it was taken up, or an operator retried it.
  int unavailable_count = 0;  // The number of performances that were UNAVAILABLE.
  std::string last_error;
  bool is_performed = false;  // Whether `result` is yet to be recorded.
  absl::Status result;
  bool completion_tried = false;  // Whether an earlier completion failed, or may have succeeded unnoticed.
};

// Metrics of work, by kind.
struct WorkMetrics {
  explicit WorkMetrics(prometheus::Registry& registry);

  prometheus::Family<prometheus::Gauge>& pending;
  prometheus::Family<prometheus::Gauge>& parked;
  prometheus::Family<prometheus::Counter>& failures;
};

// The work of one kind that this server holds, and its driver.
//
// Thread-safety: name, driver, service and prefix never change. The work queue's lock guards the rest.
// Lifetime: driver and metrics outlive it. It outlives its pieces.
class WorkOfKind {
 public:
  using Pieces = std::map<std::string, WorkPiece, std::less<>>;

  // `driver`: null if this server cannot do the work. `service`: the service whose rows the driver sees.
  WorkOfKind(std::string name, WorkDriver* driver, std::string_view service, const WorkMetrics& metrics);
  WorkOfKind(const WorkOfKind&) = delete;
  WorkOfKind& operator=(const WorkOfKind&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] WorkDriver* driver() const { return driver_; }
  [[nodiscard]] const std::string& service() const { return service_; }
  [[nodiscard]] const std::string& table_prefix() const { return table_prefix_; }

  // Adds a piece that this server now holds. Returns null if it holds the piece already.
  [[nodiscard]] WorkPiece* Add(std::string key, store::v1::WorkRecord record);
  // Removes a piece that is done, or that another server holds.
  void Remove(WorkPiece& piece);
  // Sets the state, and `since`.
  void SetState(WorkPiece& piece, WorkState state, absl::Time now, absl::Duration monotonic_now);
  void CountFailure();

  // The pieces by key. A key begins with the time of scheduling.
  [[nodiscard]] Pieces& pieces() { return pieces_; }
  [[nodiscard]] const Pieces& pieces() const { return pieces_; }
  // Returns the counts, and the age of the oldest piece.
  [[nodiscard]] WorkKindStatus Status(absl::Time now) const;

 private:
  // Adds `change` to the number of pieces in that state.
  void Count(WorkState state, int change);
  [[nodiscard]] int64_t count(WorkState state) const { return counts_[static_cast<size_t>(state)]; }

  const std::string name_;
  WorkDriver* const driver_;
  const std::string service_;
  const std::string table_prefix_;
  Pieces pieces_;
  std::array<int64_t, kWorkStateCount> counts_ = {};
  int64_t failures_ = 0;
  prometheus::Gauge& pending_gauge_;
  prometheus::Gauge& parked_gauge_;
  prometheus::Counter& failure_counter_;
};

// Returns when work with that key was scheduled.
[[nodiscard]] absl::Time ScheduledAt(std::string_view key);

// Describes a piece for operators and logs.
[[nodiscard]] WorkPieceStatus StatusOf(const WorkPiece& piece);
// Returns a text such as `work of kind compute.boot, subject instance\x00\x01team`.
[[nodiscard]] std::string NameOf(const WorkPiece& piece);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_OF_KIND_H_
