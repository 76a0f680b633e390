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
  std::string_view key;  // Of its row.
  store::v1::WorkRecord record;
  WorkState state = WorkState::kRunning;  // Changed by WorkOfKind::SetState alone.
  absl::Time since;                       // When it came to that state.
  absl::Duration since_monotonic;
  int attempts = 0;           // How often it was performed, or its completion was tried again.
  int failures = 0;           // Since it was taken up, or an operator had it retried.
  int unavailable_count = 0;  // How often it was performed and UNAVAILABLE.
  std::string last_error;
  bool is_performed = false;  // Whether `result` is to be written down.
  absl::Status result;
  bool completion_tried = false;  // And failed, or succeeded without that being learnt.
};

// Metrics of work, by kind.
struct WorkMetrics {
  explicit WorkMetrics(prometheus::Registry& registry);

  prometheus::Family<prometheus::Gauge>& pending;
  prometheus::Family<prometheus::Gauge>& parked;
  prometheus::Family<prometheus::Counter>& failures;
};

// The work of one kind that this server holds, and what does it.
//
// Thread-safety: name, driver and prefix never change; the rest is the work queue's, under its lock.
// Lifetime: driver and metrics outlive it, and it its pieces.
class WorkOfKind {
 public:
  using Pieces = std::map<std::string, WorkPiece, std::less<>>;

  // Null for a driver: nothing does this work. `service` has the rows that the driver sees.
  WorkOfKind(std::string name, WorkDriver* driver, std::string_view service, const WorkMetrics& metrics);
  WorkOfKind(const WorkOfKind&) = delete;
  WorkOfKind& operator=(const WorkOfKind&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] WorkDriver* driver() const { return driver_; }
  [[nodiscard]] const std::string& table_prefix() const { return table_prefix_; }

  // A piece that is held from now on; null when it is held already.
  [[nodiscard]] WorkPiece* Add(std::string key, store::v1::WorkRecord record);
  // A piece that is done, or another server's.
  void Remove(WorkPiece& piece);
  // Sets the state, and `since`.
  void SetState(WorkPiece& piece, WorkState state, absl::Time now, absl::Duration monotonic_now);
  void CountFailure();

  // By key, which begins with the time when they were scheduled.
  [[nodiscard]] Pieces& pieces() { return pieces_; }
  [[nodiscard]] const Pieces& pieces() const { return pieces_; }
  // The counts, and the age of the oldest.
  [[nodiscard]] WorkKindStatus Status(absl::Time now) const;

 private:
  // `change` pieces come to that state.
  void Count(WorkState state, int change);
  [[nodiscard]] int64_t count(WorkState state) const { return counts_[static_cast<size_t>(state)]; }

  const std::string name_;
  WorkDriver* const driver_;
  const std::string table_prefix_;
  Pieces pieces_;
  std::array<int64_t, kWorkStateCount> counts_ = {};
  int64_t failures_ = 0;
  prometheus::Gauge& pending_gauge_;
  prometheus::Gauge& parked_gauge_;
  prometheus::Counter& failure_counter_;
};

// When work with that key was scheduled.
[[nodiscard]] absl::Time ScheduledAt(std::string_view key);

// A piece for operators and logs.
[[nodiscard]] WorkPieceStatus StatusOf(const WorkPiece& piece);
// `work of kind compute.boot, subject instance\x00\x01team`.
[[nodiscard]] std::string NameOf(const WorkPiece& piece);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_OF_KIND_H_
