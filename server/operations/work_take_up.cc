// How a work queue finds and takes up free work.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/rows.h"

namespace hapax {
namespace {

// The maximum number of pieces taken in one transaction.
constexpr size_t kMaxBatch = 1024;

}  // namespace

absl::StatusOr<std::vector<WorkQueue::FreeWork>> WorkQueue::FindFreeWork(std::vector<std::string>* damaged_keys) const {
  std::vector<FreeWork> works;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store_, [&](const ReadTransaction& txn) {
    works.clear();
    damaged_keys->clear();
    return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, std::string_view value) {
      FreeWork work{.key = std::string(key)};
      if (!DecodeRow(key, value, &work.record).ok()) {
        damaged_keys->push_back(std::move(work.key));
      } else if (!leases_.has_value() || leases_->IsFree(work.record.holder()) || HoldsUnknowingly(work)) {
        works.push_back(std::move(work));
      }
      return true;
    });
  }));
  return works;
}

bool WorkQueue::HoldsUnknowingly(const FreeWork& work) const {
  if (work.record.holder() != leases_->holder()) return false;
  MonitorLock lock(&mu_);
  const auto kind = kinds_.find(work.record.kind());
  return kind == kinds_.end() || !kind->second.pieces().contains(work.key);
}

void WorkQueue::AwaitHooks(std::vector<FreeWork>& works) {
  std::set<std::string> unknown;
  std::erase_if(works, [&](const FreeWork& work) {
    if (work.record.holder() != leases_->holder()) return false;
    unknown.insert(work.key);
    return !unknown_.contains(work.key);
  });
  unknown_ = std::move(unknown);
}

absl::Status WorkQueue::BeginLease() {
  if (!leases_.has_value()) return absl::OkStatus();
  MonitorLock lock(&tending_);
  return leases_->Renew();
}

absl::StatusOr<WorkLeases::Others> WorkQueue::LookForOthers() {
  if (!leases_.has_value()) return WorkLeases::Others::kNone;
  MonitorLock lock(&tending_);
  HAPAX_RETURN_IF_ERROR(leases_->Renew());
  return leases_->LookForOthers();
}

std::vector<OtherClock> WorkQueue::OtherClocks() {
  if (!leases_.has_value()) return {};
  MonitorLock lock(&tending_);
  return leases_->Clocks();
}

absl::StatusOr<bool> WorkQueue::IsAlone(const ReadTransaction& txn) const {
  if (!leases_.has_value()) return true;
  return leases_->IsAlone(txn);
}

absl::StatusOr<int> WorkQueue::FindOpenWork() {
  MonitorLock lock(&tending_);
  if (leases_.has_value()) {
    HAPAX_RETURN_IF_ERROR(leases_->Renew());
    HAPAX_RETURN_IF_ERROR(leases_->Look());
  }
  std::vector<std::string> damaged_keys;
  HAPAX_ASSIGN_OR_RETURN(std::vector<FreeWork> works, FindFreeWork(&damaged_keys));
  for (const std::string& key : damaged_keys) {
    logger_.error("a row of table work is damaged, and its work is left undone: key {} (hapaxctl admin inspect)",
                  absl::BytesToHexString(key));
  }
  damaged_rows_ = static_cast<int>(damaged_keys.size());
  SetAsideWhatHasNoDriver(works);
  const int count = static_cast<int>(works.size());
  if (!leases_.has_value()) found_ = std::move(works);
  return count;
}

void WorkQueue::SetAsideWhatHasNoDriver(std::vector<FreeWork>& works) {
  const auto first_without = std::stable_partition(
      works.begin(), works.end(), [this](const FreeWork& work) { return FindKind(work.record.kind()) != nullptr; });
  std::map<std::string, int> counts;
  for (auto work = first_without; work != works.end(); ++work) {
    const std::string name = work->record.kind();
    ++counts[name];
    if (leases_.has_value()) continue;
    WorkOfKind& kind = kinds_.try_emplace(name, name, /*driver=*/nullptr, /*service=*/"", metrics_).first->second;
    WorkPiece* const piece = Add(kind, std::move(work->key), std::move(work->record));
    if (piece == nullptr) continue;
    MonitorLock lock(&mu_);
    piece->last_error = "this server has no driver for work of this kind";
    SetState(*piece, WorkState::kParked);
  }
  works.erase(first_without, works.end());
  for (const auto& [kind, count] : counts) {
    logger_.error("{} pieces of work are of kind \"{}\", which has no driver in this server: they are {}", count, kind,
                  leases_.has_value() ? "left to a server that has one" : "parked until a start with one");
  }
}

void WorkQueue::TakeUpOpenWork() {
  for (FreeWork& work : std::exchange(found_, {})) {
    WorkOfKind& kind = *FindKind(work.record.kind());
    WorkPiece* const piece = Add(kind, std::move(work.key), std::move(work.record));
    if (piece != nullptr) Perform(*piece);
  }
  if (!leases_.has_value() || lease_keeper_.joinable()) return;
  TendLeases();
  lease_keeper_ = std::thread([this] { RunLeaseKeeper(); });
}

absl::StatusOr<int> WorkQueue::Resume() {
  HAPAX_ASSIGN_OR_RETURN(const int count, FindOpenWork());
  TakeUpOpenWork();
  return count;
}

void WorkQueue::RunLeaseKeeper() {
  const auto is_stopping = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_; };
  while (true) {
    {
      MonitorLock lock(&mu_);
      if (mu_.AwaitUntil(is_stopping, MonotonicNow() + options_.lease / 3)) return;
    }
    TendLeases();
  }
}

void WorkQueue::TendLeases() {
  if (!leases_.has_value()) return;
  MonitorLock lock(&tending_);
  // Looks first, since a renewal tells others what was seen of their clocks.
  absl::Status status = leases_->Look();
  status.Update(leases_->Renew());
  if (status.ok()) {
    clock_skew_->Report(leases_->Clocks());
    status = TakeUpFreeWork();
  }
  if (!status.ok()) logger_.warn("the leases of work: {}", status.ToString());
}

// By the last look at the leases. Leaves work of a kind without a driver here to other servers.
absl::Status WorkQueue::TakeUpFreeWork() {
  std::vector<std::string> damaged_keys;
  HAPAX_ASSIGN_OR_RETURN(std::vector<FreeWork> works, FindFreeWork(&damaged_keys));
  std::erase_if(works, [this](const FreeWork& work) { return FindKind(work.record.kind()) == nullptr; });
  AwaitHooks(works);
  for (size_t taken = 0; taken < works.size(); taken += kMaxBatch) {
    const auto begin = works.begin() + static_cast<ptrdiff_t>(taken);
    const auto end = begin + static_cast<ptrdiff_t>(std::min(kMaxBatch, works.size() - taken));
    std::vector<FreeWork> batch(std::make_move_iterator(begin), std::make_move_iterator(end));
    HAPAX_RETURN_IF_ERROR(Take(batch));
    if (!batch.empty()) logger_.info("{} pieces of work are taken up, which nobody held any more", batch.size());
    for (FreeWork& work : batch) {
      WorkOfKind& kind = *FindKind(work.record.kind());
      WorkPiece* const piece = Add(kind, std::move(work.key), std::move(work.record));
      if (piece != nullptr) Perform(*piece);
    }
    HAPAX_RETURN_IF_ERROR(leases_->Renew());  // A large backlog may take longer than a lease.
  }
  return leases_->DeleteRunOut();
}

// Makes this server the holder of the works. Removes those from `works` that were no longer free.
absl::Status WorkQueue::Take(std::vector<FreeWork>& works) {
  std::vector<FreeWork> taken;
  HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store_, [&](Transaction& txn) -> absl::Status {
    taken.clear();
    std::map<std::string, bool> is_free;  // By holder.
    for (const FreeWork& work : works) {
      HAPAX_ASSIGN_OR_RETURN(const bool as_it_was, IsHeld(txn, work.key, work.record));
      if (!as_it_was) continue;
      if (work.record.holder() == leases_->holder()) {
        taken.push_back(work);
        continue;
      }
      const auto [holder, is_new] = is_free.emplace(work.record.holder(), false);
      if (is_new) {
        HAPAX_ASSIGN_OR_RETURN(holder->second, leases_->IsStillFree(txn, holder->first));
      }
      if (!holder->second) continue;
      FreeWork& mine = taken.emplace_back(work);
      mine.record.set_holder(leases_->holder());
      PutRow(txn, Table::kWork, mine.key, mine.record);
    }
    return absl::OkStatus();
  }));
  works = std::move(taken);
  return absl::OkStatus();
}

}  // namespace hapax
