#include "hapax/server/operations/work_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/service_table.h"

namespace hapax {
namespace {

// The most completions in one transaction.
constexpr size_t kMaxBatch = 1024;
// How long completions gather before they are written. Nobody waits for one as for a reply, and each commit is an fsync
// that calls wait for.
constexpr absl::Duration kGatherTime = absl::Milliseconds(10);

// Begins with the time, so that a row is deleted near where it was written.
std::string NewKey(absl::Time now) {
  thread_local absl::BitGen bits;
  return KeyBuilder()
      .Uint64(static_cast<uint64_t>(absl::ToUnixMicros(now)))
      .Uint64(absl::Uniform<uint64_t>(bits))
      .Build();
}

}  // namespace

WorkQueue::WorkQueue(Store& store, const Clock& clock, spdlog::logger& logger, const Options& options)
    : store_(store), clock_(clock), logger_(logger), options_(options) {
  if (!options.sole_server) leases_.emplace(store, clock, options.lease);
  completer_ = std::thread([this] { RunCompleter(); });
}

WorkQueue::~WorkQueue() { Stop(); }

void WorkQueue::AddDriver(std::string kind, std::string_view service, WorkDriver& driver) {
  const bool is_new =
      drivers_.emplace(std::move(kind), Driver{.driver = &driver, .table_prefix = ServiceTablePrefix(service)}).second;
  HAPAX_CHECK(is_new, "a kind of work has one driver: services name theirs apart");
}

void WorkQueue::Schedule(Transaction& txn, std::string_view kind, std::string_view subject) {
  Work work{.key = NewKey(clock_.Now())};
  work.record.set_kind(std::string(kind));
  work.record.set_subject(std::string(subject));
  if (leases_.has_value()) work.record.set_holder(leases_->holder());
  PutRow(AllTables(txn), Table::kWork, work.key, work.record);
  txn.OnCommit([this, work = std::move(work)]() mutable { Perform(std::move(work)); });
}

absl::StatusOr<std::vector<WorkQueue::Work>> WorkQueue::FindFreeWork(std::vector<std::string>* damaged_keys) const {
  std::vector<Work> works;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store_, [&](const ReadTransaction& txn) {
    works.clear();
    damaged_keys->clear();
    return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, std::string_view value) {
      Work work{.key = std::string(key)};
      if (!DecodeRow(key, value, &work.record).ok()) {
        damaged_keys->push_back(std::move(work.key));
      } else if (!leases_.has_value() || leases_->IsFree(work.record.holder())) {
        works.push_back(std::move(work));
      }
      return true;
    });
  }));
  return works;
}

absl::StatusOr<int> WorkQueue::FindOpenWork() {
  MonitorLock lock(&tending_);
  if (leases_.has_value()) {
    HAPAX_RETURN_IF_ERROR(leases_->Renew());
    HAPAX_RETURN_IF_ERROR(leases_->Look());
  }
  std::vector<std::string> damaged_keys;
  HAPAX_ASSIGN_OR_RETURN(std::vector<Work> works, FindFreeWork(&damaged_keys));
  for (const Work& work : works) {
    if (drivers_.contains(work.record.kind())) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("there is work of kind \"", work.record.kind(), "\" in the store, which this server cannot do"));
  }
  for (const std::string& key : damaged_keys) {
    logger_.error("a row of table work is damaged, and its work is left undone: key {} (hapaxctl admin inspect)",
                  absl::BytesToHexString(key));
  }
  damaged_rows_ = static_cast<int>(damaged_keys.size());
  const int count = static_cast<int>(works.size());
  if (!leases_.has_value()) found_ = std::move(works);
  return count;
}

void WorkQueue::TakeUpOpenWork() {
  for (Work& work : std::exchange(found_, {})) Perform(std::move(work));
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
  absl::Status status = leases_->Renew();
  if (status.ok()) status = TakeUpFreeWork();
  if (!status.ok()) logger_.warn("the leases of work: {}", status.ToString());
}

// Leaves work of an unknown kind to a server that has a driver for it.
absl::Status WorkQueue::TakeUpFreeWork() {
  HAPAX_RETURN_IF_ERROR(leases_->Look());
  std::vector<std::string> damaged_keys;
  HAPAX_ASSIGN_OR_RETURN(std::vector<Work> works, FindFreeWork(&damaged_keys));
  std::erase_if(works, [this](const Work& work) { return !drivers_.contains(work.record.kind()); });
  for (size_t taken = 0; taken < works.size(); taken += kMaxBatch) {
    const auto begin = works.begin() + static_cast<ptrdiff_t>(taken);
    const auto end = begin + static_cast<ptrdiff_t>(std::min(kMaxBatch, works.size() - taken));
    std::vector<Work> batch(std::make_move_iterator(begin), std::make_move_iterator(end));
    HAPAX_RETURN_IF_ERROR(Take(batch));
    if (!batch.empty()) logger_.info("{} pieces of work are taken up, which nobody held any more", batch.size());
    for (Work& work : batch) Perform(std::move(work));
    HAPAX_RETURN_IF_ERROR(leases_->Renew());  // A large backlog may take longer than a lease.
  }
  return leases_->DeleteRunOut();
}

// Makes this server the holder of the works, and removes those from `works` that were no longer free.
absl::Status WorkQueue::Take(std::vector<Work>& works) {
  std::vector<Work> taken;
  HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store_, [&](Transaction& txn) -> absl::Status {
    taken.clear();
    std::map<std::string, bool> is_free;  // By holder.
    for (const Work& work : works) {
      HAPAX_ASSIGN_OR_RETURN(const bool as_it_was, IsHeld(txn, work));
      if (!as_it_was) continue;
      const auto [holder, is_new] = is_free.emplace(work.record.holder(), false);
      if (is_new) {
        HAPAX_ASSIGN_OR_RETURN(holder->second, leases_->IsStillFree(txn, holder->first));
      }
      if (!holder->second) continue;
      Work& mine = taken.emplace_back(work);
      mine.record.set_holder(leases_->holder());
      PutRow(txn, Table::kWork, mine.key, mine.record);
    }
    return absl::OkStatus();
  }));
  works = std::move(taken);
  return absl::OkStatus();
}

// Whether the work is open and still has the holder of its record.
absl::StatusOr<bool> WorkQueue::IsHeld(const ReadTransaction& txn, const Work& work) {
  HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<store::v1::WorkRecord>(txn, Table::kWork, work.key));
  return row.has_value() && row->holder() == work.record.holder();
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
  // So other servers need not wait for the lease to run out.
  const absl::Status ended = leases_->End();
  if (!ended.ok()) logger_.warn("ending the lease of work: {}", ended.ToString());
}

void WorkQueue::Perform(Work work) {
  const auto driver = drivers_.find(work.record.kind());
  HAPAX_CHECK(driver != drivers_.end(), "work is scheduled only of kinds that have a driver");
  const std::string subject = work.record.subject();
  driver->second.driver->Perform(subject, [this, work = std::move(work)](absl::Status result) mutable {
    OnPerformed(std::move(work), std::move(result));
  });
}

void WorkQueue::OnPerformed(Work work, absl::Status result) {
  if (!result.ok() && work.unavailable_count == 0) {
    logger_.warn("work of kind {}: {}", work.record.kind(), result.ToString());
  }
  MonitorLock lock(&mu_);
  if (absl::IsUnavailable(result)) {
    const absl::Duration due = MonotonicNow() + BackoffOf(work);
    ++work.unavailable_count;
    if (due < NextRetry()) mu_.WakeAll();
    retries_.emplace(due, std::move(work));
    return;
  }
  work.result = std::move(result);
  if (performed_.empty()) mu_.WakeAll();
  performed_.push_back(std::move(work));
}

// Random within the second half of the delay, so that works that failed together are not retried together.
absl::Duration WorkQueue::BackoffOf(const Work& work) const {
  thread_local absl::BitGen bits;
  constexpr int kMaxDoublings = 30;
  const absl::Duration longest = std::min(
      options_.max_backoff, options_.first_backoff * (int64_t{1} << std::min(work.unavailable_count, kMaxDoublings)));
  return longest * absl::Uniform(bits, 0.5, 1.0);
}

// Does not perform work again that another server has taken over and may have completed.
void WorkQueue::PerformAgain(Work work) {
  bool held = true;
  const absl::Status status = QueryAndWait(store_, [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(held, IsHeld(txn, work));
    return absl::OkStatus();
  });
  if (!status.ok()) return OnPerformed(std::move(work), absl::UnavailableError(status.message()));
  if (held) Perform(std::move(work));
}

absl::Duration WorkQueue::NextRetry() const {
  return retries_.empty() ? absl::InfiniteDuration() : retries_.begin()->first;
}

void WorkQueue::RunCompleter() {
  const auto is_stopping = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_; };
  while (true) {
    std::vector<Work> works;
    std::vector<Work> due;
    {
      MonitorLock lock(&mu_);
      const absl::Duration wakeup = NextRetry();
      mu_.AwaitUntil(
          [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_ || !performed_.empty() || NextRetry() < wakeup; },
          wakeup);
      if (!performed_.empty()) mu_.AwaitUntil(is_stopping, MonotonicNow() + kGatherTime);
      if (stopping_) return;
      const auto end = performed_.begin() + static_cast<ptrdiff_t>(std::min(kMaxBatch, performed_.size()));
      works.assign(std::make_move_iterator(performed_.begin()), std::make_move_iterator(end));
      performed_.erase(performed_.begin(), end);
      while (NextRetry() <= MonotonicNow()) {
        due.push_back(std::move(retries_.begin()->second));
        retries_.erase(retries_.begin());
      }
    }
    if (!works.empty()) Complete(std::move(works));
    for (Work& work : due) PerformAgain(std::move(work));
  }
}

void WorkQueue::Complete(std::vector<Work> works) {
  const absl::Status status = CompleteAll(works);
  if (status.ok()) return;
  logger_.warn("completing {} pieces of work: {}", works.size(), status.ToString());
  CompleteOneByOne(std::move(works));
}

absl::Status WorkQueue::CompleteAll(const std::vector<Work>& works) {
  return ExecuteAndWait(store_, [&](Transaction& txn) {
    for (const Work& work : works) {
      if (work.completion_tried || leases_.has_value()) {  // Only then can its row be gone, or another server's.
        HAPAX_ASSIGN_OR_RETURN(const bool held, IsHeld(txn, work));
        if (!held) continue;
      }
      const Driver& driver = drivers_.at(work.record.kind());
      ServiceTransaction own(txn, driver.table_prefix);
      HAPAX_RETURN_IF_ERROR(driver.driver->Complete(work.record.subject(), work.result, own));
      txn.Delete(Table::kWork, work.key);
    }
    return absl::OkStatus();
  });
}

// Keeps a work that cannot be completed from blocking the others. If the store has no room now, it is tried again
// later. If it fails for good, its row stays, for the next start to try.
void WorkQueue::CompleteOneByOne(std::vector<Work> works) {
  for (Work& work : works) {
    work.completion_tried = true;
    std::vector<Work> one;
    one.push_back(std::move(work));
    const absl::Status status = CompleteAll(one);
    if (status.ok()) continue;
    if (absl::IsUnavailable(status) || absl::IsResourceExhausted(status)) {
      WaitBeforeRetry();
      MonitorLock lock(&mu_);
      performed_.push_back(std::move(one.front()));
    } else {
      logger_.error("work of kind {} cannot be completed: {}", one.front().record.kind(), status.ToString());
    }
    MonitorLock lock(&mu_);
    if (stopping_) return;
  }
}

void WorkQueue::WaitBeforeRetry() {
  MonitorLock lock(&mu_);
  mu_.AwaitUntil([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_; },
                 MonotonicNow() + options_.retry_delay);
}

}  // namespace hapax
