#include "hapax/server/operations/work_queue.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/check.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/service_table.h"
#include "hapax/storage/status_macros.h"

namespace hapax {
namespace {

// Completions in one transaction at the most.
constexpr size_t kMaxBatch = 1024;
// How long completions gather before they are written: nobody waits for one as for a reply, and every commit more is
// an fsync more that calls wait for.
constexpr absl::Duration kGatherTime = absl::Milliseconds(10);

// Ordered by time, so that rows are deleted near where they were written.
std::string NewKey(absl::Time now) {
  thread_local absl::BitGen bits;
  return KeyBuilder()
      .Uint64(static_cast<uint64_t>(absl::ToUnixMicros(now)))
      .Uint64(absl::Uniform<uint64_t>(bits))
      .Build();
}

}  // namespace

WorkQueue::WorkQueue(Store& store, const Clock& clock, spdlog::logger& logger, absl::Duration retry_delay)
    : store_(store), clock_(clock), logger_(logger), retry_delay_(retry_delay), completer_([this] {
        RunCompleter();
      }) {}

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
  PutRow(txn, Table::kWork, work.key, work.record);
  txn.OnCommit([this, work = std::move(work)]() mutable { Start(std::move(work)); });
}

absl::StatusOr<int> WorkQueue::FindOpenWork() {
  std::vector<Work> works;
  std::vector<std::string> damaged_keys;
  const absl::Status status = QueryAndWait(store_, [&](const ReadTransaction& txn) {
    works.clear();
    damaged_keys.clear();
    return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, std::string_view value) {
      Work work{.key = std::string(key)};
      if (DecodeRow(key, value, &work.record).ok()) {
        works.push_back(std::move(work));
      } else {
        damaged_keys.push_back(std::move(work.key));
      }
      return true;
    });
  });
  HAPAX_RETURN_IF_ERROR(status);
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
  found_ = std::move(works);
  return static_cast<int>(found_.size());
}

void WorkQueue::TakeUpOpenWork() {
  for (Work& work : std::exchange(found_, {})) Start(std::move(work));
}

absl::StatusOr<int> WorkQueue::Resume() {
  HAPAX_ASSIGN_OR_RETURN(const int count, FindOpenWork());
  TakeUpOpenWork();
  return count;
}

void WorkQueue::Stop() {
  {
    MonitorLock lock(&mu_);
    stopping_ = true;
    mu_.WakeAll();
  }
  if (completer_.joinable()) completer_.join();
}

void WorkQueue::Start(Work work) {
  const auto driver = drivers_.find(work.record.kind());
  HAPAX_CHECK(driver != drivers_.end(), "work is scheduled only of kinds that have a driver");
  const std::string subject = work.record.subject();
  driver->second.driver->Perform(subject, [this, work = std::move(work)]() mutable {
    MonitorLock lock(&mu_);
    if (performed_.empty()) mu_.WakeAll();
    performed_.push_back(std::move(work));
  });
}

void WorkQueue::RunCompleter() {
  const auto something_to_do = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_ || !performed_.empty(); };
  const auto is_stopping = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_; };
  while (true) {
    std::vector<Work> works;
    {
      MonitorLock lock(&mu_);
      mu_.Await(something_to_do);
      mu_.AwaitUntil(is_stopping, MonotonicNow() + kGatherTime);
      if (stopping_) return;
      const auto end = performed_.begin() + static_cast<ptrdiff_t>(std::min(kMaxBatch, performed_.size()));
      works.assign(std::make_move_iterator(performed_.begin()), std::make_move_iterator(end));
      performed_.erase(performed_.begin(), end);
    }
    const absl::Status status = CompleteAll(works);
    if (status.ok()) continue;
    logger_.warn("completing {} pieces of work: {}", works.size(), status.ToString());
    CompleteOneByOne(std::move(works));
  }
}

absl::Status WorkQueue::CompleteAll(const std::vector<Work>& works) {
  return ExecuteAndWait(store_, [&](Transaction& txn) {
    for (const Work& work : works) {
      if (work.tried) {  // Only then can its row be gone.
        HAPAX_ASSIGN_OR_RETURN(const auto row, txn.Get(Table::kWork, work.key));
        if (!row.has_value()) continue;
      }
      const Driver& driver = drivers_.at(work.record.kind());
      ServiceTransaction own(txn, driver.table_prefix);
      HAPAX_RETURN_IF_ERROR(driver.driver->Complete(work.record.subject(), own));
      txn.Delete(Table::kWork, work.key);
    }
    return absl::OkStatus();
  });
}

// Keeps one piece of work that cannot be completed from holding up the others. What the store has no room
// for now is tried again later; what fails for good stays a row, for the next start to try.
void WorkQueue::CompleteOneByOne(std::vector<Work> works) {
  for (Work& work : works) {
    work.tried = true;
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
  mu_.AwaitUntil([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_; }, MonotonicNow() + retry_delay_);
}

}  // namespace hapax
