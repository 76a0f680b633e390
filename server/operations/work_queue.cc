#include "hapax/server/operations/work_queue.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/contain.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/service_table.h"

namespace hapax {
namespace {

// The maximum size of a name that somebody gave, in an error, in bytes.
constexpr size_t kMaxNameBytes = 256;
// The maximum number of listed pieces of a kind and state in Status.
constexpr int kMaxListed = 100;
// The number of pieces visited before the lock is released.
constexpr int kVisitedAtOnce = 1000;

// A key begins with the time, so that a row is deleted near where it was written.
std::string NewKey(absl::Time now) {
  thread_local absl::BitGen bits;
  return KeyBuilder()
      .Uint64(static_cast<uint64_t>(absl::ToUnixMicros(now)))
      .Uint64(absl::Uniform<uint64_t>(bits))
      .Build();
}

std::string Escaped(std::string_view name) { return absl::CHexEscape(std::string(name.substr(0, kMaxNameBytes))); }

}  // namespace

WorkQueue::WorkQueue(Store& store, const Clock& clock, spdlog::logger& logger, const Options& options)
    : store_(store),
      clock_(clock),
      logger_(logger),
      options_(options),
      own_registry_(options.registry == nullptr ? std::make_unique<prometheus::Registry>() : nullptr),
      metrics_(options.registry == nullptr ? *own_registry_ : *options.registry) {
  {
    MonitorLock lock(&done_route_->mu);
    done_route_->queue = this;
  }
  if (!options.sole_server) {
    leases_.emplace(store, clock, options.lease, options.server_id);
    clock_skew_.emplace(options.max_clock_skew, logger,
                        options.registry == nullptr ? *own_registry_ : *options.registry);
  }
  completer_ = std::thread([this] { RunCompleter(); });
}

WorkQueue::~WorkQueue() {
  Stop();
  MonitorLock lock(&done_route_->mu);
  done_route_->queue = nullptr;
}

void WorkQueue::AddDriver(std::string_view kind, std::string_view service, WorkDriver& driver) {
  if (drivers_are_complete_) {
    return logger_.error("the driver of work of kind \"{}\" is refused: drivers must be added before the start",
                         Escaped(kind));
  }
  const auto [added, is_new] = kinds_.try_emplace(std::string(kind), std::string(kind), &driver, service, metrics_);
  if (is_new || !driver_error_.ok()) return;
  driver_error_ = absl::InvalidArgumentError(absl::StrCat("work of kind \"", Escaped(kind),
                                                          "\" is given two drivers, for ", added->second.service(),
                                                          " and ", std::string(service), "; a kind has one driver"));
}

absl::Status WorkQueue::CheckDrivers(const std::vector<std::string_view>& services) {
  drivers_are_complete_ = true;
  HAPAX_RETURN_IF_ERROR(driver_error_);
  for (const auto& [name, kind] : kinds_) {
    const bool is_hosted = std::find(services.begin(), services.end(), kind.service()) != services.end();
    if (is_hosted || kind.driver() == nullptr) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the driver of work of kind \"", Escaped(name), "\" is for service \"", Escaped(kind.service()),
        "\", which is not hosted; ", services.empty() ? "none is hosted" : "hosted are ",
        absl::StrJoin(services, ", ", [](std::string* text, std::string_view service) { text->append(service); })));
  }
  return absl::OkStatus();
}

WorkOfKind* WorkQueue::FindKind(std::string_view name) {
  const auto kind = kinds_.find(name);
  return kind == kinds_.end() || kind->second.driver() == nullptr ? nullptr : &kind->second;
}

absl::Status WorkQueue::NoDriverError(std::string_view kind) const {
  std::vector<std::string> names;
  for (const auto& [name, work] : kinds_) {
    if (work.driver() != nullptr) names.push_back(name);
  }
  return absl::FailedPreconditionError(absl::StrCat("work of kind \"", Escaped(kind), "\" has no driver: ",
                                                    names.empty() ? "no kind has one" : "the kinds that have one are ",
                                                    absl::StrJoin(names, ", ")));
}

absl::Status WorkQueue::Schedule(Transaction& txn, std::string_view kind, std::string_view subject) {
  WorkOfKind* const work = FindKind(kind);
  if (work == nullptr) {
    absl::Status error = NoDriverError(kind);
    txn.Refuse(error);
    return error;
  }
  std::string key = NewKey(clock_.Now());
  store::v1::WorkRecord record;
  record.set_kind(std::string(kind));
  record.set_subject(std::string(subject));
  if (leases_.has_value()) record.set_holder(leases_->holder());
  PutRow(AllTables(txn), Table::kWork, key, record);
  txn.OnCommit([this, work, key = std::move(key), record = std::move(record)]() mutable {
    WorkPiece* const piece = Add(*work, std::move(key), std::move(record));
    if (piece != nullptr) Perform(*piece);
  });
  return absl::OkStatus();
}

// Returns null if this server holds the piece already: another server had taken it, and this one takes it back.
WorkPiece* WorkQueue::Add(WorkOfKind& kind, std::string key, store::v1::WorkRecord record) {
  MonitorLock lock(&mu_);
  return kind.Add(std::move(key), std::move(record));
}

void WorkQueue::Perform(WorkPiece& piece) {
  WorkOfKind& kind = *piece.kind;
  const std::string subject = piece.record.subject();  // The piece may be destroyed before the driver returns.
  uint64_t performance = 0;
  {
    MonitorLock lock(&mu_);
    performance = ++last_performance_;
    performing_.emplace(performance, &piece);
    ++piece.attempts;
    SetState(piece, WorkState::kRunning);
  }
  const absl::Status returned = Contain("Perform", [&] {
    kind.driver()->Perform(subject, [route = done_route_, &kind, performance](absl::Status result) {
      MonitorLock lock(&route->mu);
      if (route->queue != nullptr) route->queue->OnPerformed(kind, performance, std::move(result));
    });
  });
  if (returned.ok()) return;
  MonitorLock lock(&mu_);
  WorkPiece* const failed = EndPerformance(performance);
  if (failed != nullptr) return Fail(*failed, returned);
  logger_.warn("work of kind {}: its driver was done, and then failed: {}", kind.name(), returned.ToString());
}

// Returns null if the performance has already ended.
WorkPiece* WorkQueue::EndPerformance(uint64_t performance) {
  const auto performing = performing_.find(performance);
  if (performing == performing_.end()) return nullptr;
  WorkPiece* const piece = performing->second;
  performing_.erase(performing);
  return piece;
}

void WorkQueue::OnPerformed(WorkOfKind& kind, uint64_t performance, absl::Status result) {
  MonitorLock lock(&mu_);
  WorkPiece* const piece = EndPerformance(performance);
  if (piece == nullptr) {
    return logger_.warn("work of kind {}: its driver is done a second time, or after it threw, with {}: ignored",
                        kind.name(), result.ToString());
  }
  if (!result.ok()) NoteError(*piece, result);
  if (absl::IsUnavailable(result)) return RetryAfter(*piece, BackoffOf(piece->unavailable_count++));
  piece->result = std::move(result);
  piece->is_performed = true;
  if (performed_.empty()) mu_.WakeAll();
  performed_.push_back(piece);
}

void WorkQueue::SetState(WorkPiece& piece, WorkState state) {
  piece.kind->SetState(piece, state, clock_.Now(), clock_.Monotonic());
}

void WorkQueue::Fail(WorkPiece& piece, const absl::Status& error) {
  ++piece.failures;
  piece.kind->CountFailure();
  NoteError(piece, error);
  if (piece.failures < options_.max_failures) return RetryAfter(piece, BackoffOf(piece.failures - 1));
  SetState(piece, WorkState::kParked);
  logger_.error("{}: failed {} times, and is parked until it is retried (hapaxctl admin retry-work): {}", NameOf(piece),
                piece.failures, piece.last_error);
}

// Logs an error only if it differs from the last one.
void WorkQueue::NoteError(WorkPiece& piece, const absl::Status& error) {
  std::string text = error.ToString();
  if (piece.last_error == text) return;
  piece.last_error = std::move(text);
  logger_.warn("{}: {}", NameOf(piece), piece.last_error);
}

void WorkQueue::RetryAfter(WorkPiece& piece, absl::Duration delay) {
  SetState(piece, WorkState::kWaiting);
  const absl::Duration due = MonotonicNow() + delay;
  if (due < NextRetry()) mu_.WakeAll();
  retries_.emplace(due, &piece);
}

// Returns a random time in the second half of the backoff, so that pieces that failed together are not retried
// together.
absl::Duration WorkQueue::BackoffOf(int count) const {
  thread_local absl::BitGen bits;
  constexpr int kMaxDoublings = 30;
  const absl::Duration longest =
      std::min(options_.max_backoff, options_.first_backoff * (int64_t{1} << std::min(count, kMaxDoublings)));
  return longest * absl::Uniform(bits, 0.5, 1.0);
}

absl::Duration WorkQueue::NextRetry() const {
  return retries_.empty() ? absl::InfiniteDuration() : retries_.begin()->first;
}

// Does not perform work that another server has taken over, since that server may have completed it.
void WorkQueue::PerformAgain(WorkPiece& piece) {
  bool held = true;
  const absl::Status status = QueryAndWait(store_, [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(held, IsHeld(txn, piece.key, piece.record));
    return absl::OkStatus();
  });
  if (status.ok() && held) return Perform(piece);
  MonitorLock lock(&mu_);
  if (status.ok()) return piece.kind->Remove(piece);
  NoteError(piece, status);
  RetryAfter(piece, BackoffOf(piece.unavailable_count++));
}

absl::StatusOr<bool> WorkQueue::IsHeld(const ReadTransaction& txn, std::string_view key,
                                       const store::v1::WorkRecord& record) {
  HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<store::v1::WorkRecord>(txn, Table::kWork, key));
  return row.has_value() && row->holder() == record.holder();
}

template <typename Kind, typename Visit>
void WorkQueue::VisitPieces(Kind& kind, Visit visit) const {
  std::string last_key;
  for (bool at_end = false; !at_end;) {
    MonitorLock lock(&mu_);
    auto piece = kind.pieces().upper_bound(last_key);
    for (int i = 0; i < kVisitedAtOnce && piece != kind.pieces().end(); ++i, ++piece) {
      visit(piece->second);
      last_key = piece->first;
    }
    at_end = piece == kind.pieces().end();
  }
}

WorkStatus WorkQueue::Status() const {
  WorkStatus status = {.damaged_rows = damaged_rows_};
  const absl::Duration monotonic_now = clock_.Monotonic();
  for (const auto& [name, kind] : kinds_) {
    {
      MonitorLock lock(&mu_);
      status.kinds.push_back(kind.Status(clock_.Now()));
    }
    std::array<std::vector<WorkPieceStatus>, kWorkStateCount> listed;
    VisitPieces(kind, [&](const WorkPiece& piece) {
      std::vector<WorkPieceStatus>& same = listed[static_cast<size_t>(piece.state)];
      const bool is_usual =
          piece.state == WorkState::kRunning && monotonic_now - piece.since_monotonic < options_.long_running;
      if (!is_usual && same.size() < kMaxListed) same.push_back(StatusOf(piece));
    });
    for (const WorkState state : {WorkState::kParked, WorkState::kWaiting, WorkState::kRunning}) {
      std::vector<WorkPieceStatus>& same = listed[static_cast<size_t>(state)];
      std::move(same.begin(), same.end(), std::back_inserter(status.pieces));
    }
  }
  return status;
}

absl::StatusOr<int64_t> WorkQueue::RetryParked(std::string_view kind) {
  if (!kind.empty() && FindKind(kind) == nullptr) return NoDriverError(kind);
  int64_t count = 0;
  for (auto& [name, work] : kinds_) {
    if (work.driver() == nullptr || (!kind.empty() && name != kind)) continue;
    VisitPieces(work, [&](WorkPiece& piece) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      if (piece.state != WorkState::kParked) return;
      piece.failures = 0;
      piece.unavailable_count = 0;
      piece.is_performed = false;
      RetryAfter(piece, absl::ZeroDuration());
      ++count;
    });
  }
  if (count > 0) logger_.info("{} pieces of parked work are performed again, by an operator's wish", count);
  return count;
}

bool WorkQueue::IsStopping() const {
  MonitorLock lock(&mu_);
  return stopping_;
}

void WorkQueue::Stop() {
  {
    MonitorLock lock(&mu_);
    if (stopping_) return;
    stopping_ = true;
    mu_.WakeAll();
  }
  completer_.join();
  if (!leases_.has_value()) return;
  if (lease_keeper_.joinable()) lease_keeper_.join();
  // Ends the lease, so that other servers need not wait until it runs out.
  const absl::Status ended = leases_->End();
  if (!ended.ok()) logger_.warn("ending the lease of work: {}", ended.ToString());
}

}  // namespace hapax
