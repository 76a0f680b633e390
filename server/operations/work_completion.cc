// The completions of a work queue.
#include <algorithm>
#include <utility>

#include "hapax/base/contain.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/draft.h"
#include "hapax/storage/service_table.h"

namespace hapax {
namespace {

// The maximum number of completions in one transaction.
constexpr size_t kMaxBatch = 1024;
// How long completions accumulate before they are committed. No client waits for one as for a reply, while every
// further commit costs an fsync that calls wait for.
constexpr absl::Duration kGatherTime = absl::Milliseconds(10);

// Whether the error is temporary: the store is full at the moment, or cannot be written. Then the work itself has not
// failed.
bool MayPass(const absl::Status& status) { return absl::IsUnavailable(status) || absl::IsResourceExhausted(status); }

}  // namespace

void WorkQueue::RunCompleter() {
  const auto is_stopping = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_; };
  while (true) {
    Batch batch;
    Batch due;
    {
      MonitorLock lock(&mu_);
      const absl::Duration wakeup = NextRetry();
      mu_.AwaitUntil(
          [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_ || !performed_.empty() || NextRetry() < wakeup; },
          wakeup);
      if (!performed_.empty()) mu_.AwaitUntil(is_stopping, MonotonicNow() + kGatherTime);
      if (stopping_) return;
      due = TakeDue();
      batch = TakePerformed();
    }
    if (!batch.empty()) Complete(batch);
    for (WorkPiece* const piece : due) {
      if (!IsStopping()) PerformAgain(*piece);
    }
  }
}

// Returns the pieces that are due to be performed again. Those due to be completed again move to the performed ones.
WorkQueue::Batch WorkQueue::TakeDue() {
  Batch due;
  while (NextRetry() <= MonotonicNow()) {
    WorkPiece* const piece = retries_.begin()->second;
    retries_.erase(retries_.begin());
    SetState(*piece, WorkState::kRunning);
    if (!piece->is_performed) {
      due.push_back(piece);
      continue;
    }
    ++piece->attempts;
    performed_.push_back(piece);
  }
  return due;
}

WorkQueue::Batch WorkQueue::TakePerformed() {
  const auto end = performed_.begin() + static_cast<ptrdiff_t>(std::min(kMaxBatch, performed_.size()));
  Batch batch(performed_.begin(), end);
  performed_.erase(performed_.begin(), end);
  return batch;
}

// Completes earlier failures separately, so that they do not make the others fail.
void WorkQueue::Complete(const Batch& batch) {
  Batch fresh = batch;
  const auto first_tried = std::stable_partition(fresh.begin(), fresh.end(),
                                                 [](const WorkPiece* piece) { return !piece->completion_tried; });
  Batch tried(first_tried, fresh.end());
  fresh.erase(first_tried, fresh.end());
  if (!fresh.empty()) {
    if (CompleteAll(fresh).ok()) {
      OnCompletionTried(fresh, std::vector<absl::Status>(fresh.size()));
    } else {
      tried.insert(tried.begin(), fresh.begin(), fresh.end());
    }
  }
  if (!tried.empty()) CompleteApart(tried);
}

absl::Status WorkQueue::CompleteAll(const Batch& batch) {
  return ExecuteAndWait(store_, [&](Transaction& txn) {
    for (const WorkPiece* const piece : batch) HAPAX_RETURN_IF_ERROR(CompleteIn(txn, *piece));
    return absl::OkStatus();
  });
}

// Tries each completion, and commits the successful ones in one transaction.
void WorkQueue::CompleteApart(const Batch& batch) {
  for (WorkPiece* const piece : batch) piece->completion_tried = true;
  std::vector<absl::Status> results(batch.size());
  const absl::Status written = ExecuteAndWait(store_, [&](Transaction& txn) {
    for (size_t i = 0; i < batch.size(); ++i) {
      DraftTransaction part(txn);
      results[i] = CompleteIn(part, *batch[i]);
      if (results[i].ok()) results[i] = part.refusal();
      if (results[i].ok()) part.CommitTo(txn);
    }
    return absl::OkStatus();
  });
  if (written.ok()) return OnCompletionTried(batch, results);
  logger_.warn("completing {} pieces of work: {}", batch.size(), written.ToString());
  if (MayPass(written) || batch.size() == 1) {
    return OnCompletionTried(batch, std::vector<absl::Status>(batch.size(), written));
  }
  // The store refuses a write of one of them.
  for (WorkPiece* const piece : batch) {
    if (!IsStopping()) CompleteApart({piece});
  }
}

absl::Status WorkQueue::CompleteIn(Transaction& txn, const WorkPiece& piece) {
  if (piece.completion_tried || leases_.has_value()) {  // Else the row certainly exists, and is held by this server.
    HAPAX_ASSIGN_OR_RETURN(const bool held, IsHeld(txn, piece.key, piece.record));
    if (!held) return absl::OkStatus();
  }
  ServiceTransaction own(txn, piece.kind->table_prefix());
  HAPAX_RETURN_IF_ERROR(
      Contain("Complete", [&] { return piece.kind->driver()->Complete(piece.record.subject(), piece.result, own); }));
  txn.Delete(Table::kWork, std::string(piece.key));
  return absl::OkStatus();
}

void WorkQueue::OnCompletionTried(const Batch& batch, const std::vector<absl::Status>& results) {
  MonitorLock lock(&mu_);
  for (size_t i = 0; i < batch.size(); ++i) {
    WorkPiece& piece = *batch[i];
    if (results[i].ok()) {
      piece.kind->Remove(piece);
    } else if (MayPass(results[i])) {
      NoteError(piece, results[i]);
      RetryAfter(piece, options_.retry_delay);
    } else {
      Fail(piece, results[i]);
    }
  }
}

}  // namespace hapax
