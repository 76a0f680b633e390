#include "hapax/server/operations/work_of_kind.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/storage/key.h"
#include "hapax/storage/service_table.h"

namespace hapax {
namespace {

// The maximum size of a subject in a log line, before it is escaped.
constexpr size_t kMaxSubjectBytes = 256;

}  // namespace

WorkMetrics::WorkMetrics(prometheus::Registry& registry)
    : pending(prometheus::BuildGauge()
                  .Name("hapax_pending_work")
                  .Help("Pieces of work that are being done, or wait to be tried again.")
                  .Register(registry)),
      parked(
          prometheus::BuildGauge()
              .Name("hapax_parked_work")
              .Help("Pieces of work that failed too often, or have no driver, and are not tried again by themselves.")
              .Register(registry)),
      failures(prometheus::BuildCounter()
                   .Name("hapax_work_failures_total")
                   .Help("How often a driver threw, or a completion failed.")
                   .Register(registry)) {}

WorkOfKind::WorkOfKind(std::string name, WorkDriver* driver, std::string_view service, const WorkMetrics& metrics)
    : name_(std::move(name)),
      driver_(driver),
      service_(service),
      table_prefix_(ServiceTablePrefix(service)),
      pending_gauge_(metrics.pending.Add({{"kind", name_}})),
      parked_gauge_(metrics.parked.Add({{"kind", name_}})),
      failure_counter_(metrics.failures.Add({{"kind", name_}})) {}

WorkPiece* WorkOfKind::Add(std::string key, store::v1::WorkRecord record) {
  const size_t count = pieces_.size();
  const auto added = pieces_.try_emplace(pieces_.end(), std::move(key));
  if (pieces_.size() == count) return nullptr;
  WorkPiece& piece = added->second;
  piece.kind = this;
  piece.key = added->first;
  piece.record = std::move(record);
  Count(piece.state, 1);
  return &piece;
}

void WorkOfKind::Remove(WorkPiece& piece) {
  Count(piece.state, -1);
  pieces_.erase(pieces_.find(piece.key));
}

void WorkOfKind::SetState(WorkPiece& piece, WorkState state, absl::Time now, absl::Duration monotonic_now) {
  piece.since = now;
  piece.since_monotonic = monotonic_now;
  if (piece.state == state) return;
  Count(piece.state, -1);
  piece.state = state;
  Count(state, 1);
}

void WorkOfKind::CountFailure() {
  ++failures_;
  failure_counter_.Increment();
}

void WorkOfKind::Count(WorkState state, int change) {
  counts_[static_cast<size_t>(state)] += change;
  if (state == WorkState::kParked) {
    parked_gauge_.Set(static_cast<double>(count(WorkState::kParked)));
  } else {
    pending_gauge_.Set(static_cast<double>(count(WorkState::kRunning) + count(WorkState::kWaiting)));
  }
}

WorkKindStatus WorkOfKind::Status(absl::Time now) const {
  WorkKindStatus status = {.kind = name_,
                           .running = count(WorkState::kRunning),
                           .waiting = count(WorkState::kWaiting),
                           .parked = count(WorkState::kParked),
                           .failures = failures_};
  if (!pieces_.empty()) status.oldest_age = std::max(now - ScheduledAt(pieces_.begin()->first), absl::ZeroDuration());
  return status;
}

absl::Time ScheduledAt(std::string_view key) {
  const absl::StatusOr<uint64_t> micros = KeyParser(key).Uint64();
  return absl::FromUnixMicros(static_cast<int64_t>(micros.value_or(0)));
}

WorkPieceStatus StatusOf(const WorkPiece& piece) {
  return {.kind = piece.kind->name(),
          .subject = piece.record.subject(),
          .state = piece.state,
          .attempts = piece.attempts,
          .last_error = piece.last_error,
          .created = ScheduledAt(piece.key),
          .since = piece.since};
}

std::string NameOf(const WorkPiece& piece) {
  return absl::StrCat("work of kind ", piece.kind->name(), ", subject ",
                      absl::CHexEscape(piece.record.subject().substr(0, kMaxSubjectBytes)));
}

}  // namespace hapax
