#include "hapax/storage/remote/sql_runner.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hapax/base/clock.h"
#include "hapax/storage/remote/fetched_state.h"
#include "hapax/storage/remote/group_run.h"
#include "hapax/storage/remote/outcome_error.h"
#include "hapax/storage/remote/sql_names.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

using Outcome = RemoteCommitted::Outcome;

constexpr absl::Duration kFirstPause = absl::Milliseconds(2);
constexpr int kDoublings = 7;  // To a quarter of a second.
// For the outcome of a commit, also of a caller whose patience ends.
constexpr absl::Duration kResolving = absl::Seconds(4);
// A lock that a statement did not get, in time or at once. The handler may have an answer of its own for that.
constexpr char kNoLock[] = "55P03";

// One transaction, on a thread that it may block.
class SqlTransaction {
 public:
  SqlTransaction(RemoteContext& context, SqlLanes& lanes, RemoteTask& task)
      : context_(context), lanes_(lanes), task_(task), deadline_(task.accepted + context.options().patience) {}

  // Returns what the caller is told.
  absl::Status Run() {
    if (MonotonicNow() < deadline_) {
      Foresee();
      lane_ = lanes_.Take(deadline_);
    }
    if (lane_ == nullptr) return context_.Unavailable("the store does not answer");
    std::optional<absl::Status> told;
    while (!told.has_value()) {
      told = RunOnce();
      if (!told.has_value() && MonotonicNow() >= deadline_) told = GaveUp();
    }
    if (lane_ != nullptr) lanes_.Return(std::move(lane_));
    return *std::move(told);
  }

 private:
  void Foresee() {
    const FetchedState nothing;
    GroupRun run(nothing, context_.guesses(), {.limits = context_.backend().limits()});
    static_cast<void>(run.Add(task_));
    names_.Add(run);
    wanted_ = run.reads().Wanted();
  }

  // Returns nullopt if it must be run again.
  std::optional<absl::Status> RunOnce() {
    if (const absl::Status stopped = context_.status(); !stopped.ok()) return Stopped(stopped);
    RemoteSqlSession& session = *lane_->session;
    absl::StatusOr<RemoteFetched> fetched = session.Begin(wanted_, names_.GroupOn(lane_->slot->name()), deadline_);
    if (!absl::IsAborted(fetched.status())) context_.NoteRead(fetched.status());
    if (!fetched.ok()) return OnError(fetched.status());
    const FetchedState state(wanted_, *std::move(fetched));
    GroupRun run(state, context_.guesses(), {.limits = context_.backend().limits(), .sql = &session});
    static_cast<void>(run.Add(task_));

    GroupRun::Result& result = run.results().front();
    const absl::Status failure = session.failure();
    if ((absl::IsAborted(failure) || absl::IsUnavailable(failure)) && !IsAnswered(failure, result.status)) {
      session.Rollback();
      return OnError(failure);
    }
    const bool was_foreseen = names_.Add(run);
    if (!was_foreseen || run.reads().must_fetch() || run.reads().guessed()) {
      wanted_ = run.reads().Wanted();
      return AfterRollback(std::nullopt);
    }
    if (result.status.ok() && !failure.ok()) result.status = PassedOver(failure);
    if (!result.status.ok() && result.wants_sql) return AfterRollback(std::move(result.status));
    // Also what only read: a commit confirms what it saw.
    return Commit(run);
  }

  std::optional<absl::Status> Commit(GroupRun& run) {
    const RemoteSlot before = lane_->slot->value();
    const RemoteCommitted committed = lane_->session->Commit(
        {.slot = lane_->slot->name(), .before = before, .reads = run.reads().reads(), .writes = run.Writes()});
    if (lane_->session->failure().ok()) context_.NoteWrite(committed.status);
    switch (committed.outcome) {
      case Outcome::kApplied:
        lane_->slot->NoteApplied();
        return OnApplied(run, committed.revision);
      case Outcome::kNotApplied:
        if (committed.slot != before) return Resolve(run, before);
        context_.NoteConflict();
        Pause();
        return std::nullopt;
      case Outcome::kRefused:
        if (const absl::Status failure = lane_->session->failure(); !failure.ok()) return OnFailure(failure);
        return OnError(committed.status);
      case Outcome::kUnknown:
        if (absl::IsFailedPrecondition(committed.status)) return Stop(committed.status);
        return Resolve(run, before);
    }
    return std::nullopt;
  }

  std::optional<absl::Status> Resolve(GroupRun& run, const RemoteSlot& before) {
    const absl::StatusOr<bool> known = lanes_.Resolve(lane_, std::max(deadline_, MonotonicNow() + kResolving));
    if (!known.ok()) return Stopped(known.status());
    if (!*known) return context_.Unavailable(kMayBeDurable);
    const uint64_t seq = lane_->slot->value().seq;
    if (seq == before.seq + 1) return OnApplied(run, /*revision=*/0);
    if (seq == before.seq) return std::nullopt;  // It was not applied and never will be, since its epoch is too low.
    return Stop(absl::FailedPreconditionError(
        absl::StrCat("the slot ", lane_->slot->name(), " has number ", seq, " after group ", before.seq + 1)));
  }

  absl::Status OnApplied(GroupRun& run, int64_t revision) {
    run.NoteApplied(revision, context_.guesses());
    return Tell(run.results().front());
  }

  static absl::Status Tell(GroupRun::Result& result) {
    for (auto& hook : result.hooks) hook();
    return std::move(result.status);
  }

  static bool IsAnswered(const absl::Status& failure, const absl::Status& answer) {
    return SqlStateOf(failure) == kNoLock && !answer.ok() && SqlStateOf(answer) != kNoLock;
  }

  std::optional<absl::Status> AfterRollback(std::optional<absl::Status> told) {
    lane_->session->Rollback();
    return told;
  }

  // Nothing was changed and nothing will be.
  std::optional<absl::Status> OnError(const absl::Status& error) {
    if (absl::IsFailedPrecondition(error)) return Stop(error);
    if (IsTooLarge(error)) return TooLarge(error);
    if (!absl::IsUnavailable(error) && !absl::IsAborted(error)) return ToCallers(error);
    last_error_ = error;
    Pause();
    return std::nullopt;
  }

  // Of a check that was deferred to the commit.
  std::optional<absl::Status> OnFailure(const absl::Status& failure) {
    if (absl::IsAborted(failure) || absl::IsUnavailable(failure)) return OnError(failure);
    return failure;
  }

  static absl::Status PassedOver(const absl::Status& failure) {
    return absl::InternalError(
        absl::StrCat("the handler returned OK although a statement had failed: ", failure.message()));
  }

  void Pause() {
    const absl::Duration pause = kFirstPause * (1 << std::min(pauses_++, kDoublings));
    absl::SleepFor(std::min(pause, std::max(deadline_ - MonotonicNow(), absl::ZeroDuration())));
  }

  absl::Status GaveUp() const {
    if (absl::IsUnavailable(last_error_)) return context_.Unavailable("the store does not answer");
    return StoreError(absl::UnavailableError("others keep or change what the transaction needs too often"));
  }

  absl::Status Stop(const absl::Status& reason) {
    context_.Stop(reason);
    return Stopped(reason);
  }
  static absl::Status Stopped(const absl::Status& reason) {
    return StoreError(absl::UnavailableError(absl::StrCat("the store has stopped: ", reason.message())));
  }

  RemoteContext& context_;
  SqlLanes& lanes_;
  RemoteTask& task_;
  const absl::Duration deadline_;
  std::unique_ptr<SqlLane> lane_;  // Null: its slot's state is not known.
  SqlNames names_;
  RemoteFetch wanted_;
  absl::Status last_error_;
  int pauses_ = 0;
};

}  // namespace

SqlRunner::SqlRunner(std::shared_ptr<RemoteContext> context)
    : context_(std::move(context)),
      lanes_(std::make_shared<SqlLanes>(context_)),
      pool_(std::make_unique<WorkerPool>(context_->options().sql_lanes, context_->options().max_waiting)) {}

void SqlRunner::Close() {
  std::unique_ptr<WorkerPool> pool;
  {
    absl::MutexLock lock(&mu_);
    pool = std::move(pool_);
  }
}

void SqlRunner::Execute(Store::Body body, Store::Done done, std::string_view party) {
  const auto task = std::make_shared<RemoteTask>(RemoteTask{
      .party = std::string(party), .body = std::move(body), .done = std::move(done), .accepted = MonotonicNow()});
  WorkerPool::Work work = [this, task] { Run(task); };
  absl::Status refusal;
  {
    absl::MutexLock lock(&mu_);
    const auto known = parties_.find(task->party);
    const size_t parked = known == parties_.end() ? 0 : known->second.parked.size();
    if (pool_ == nullptr) {
      refusal = absl::UnavailableError("the store is closing");
    } else if (parked >= context_->options().max_waiting / 2 || !pool_->TrySchedule(work, party)) {
      refusal = absl::ResourceExhaustedError("too many transactions are waiting");
    }
  }
  if (!refusal.ok()) std::move(task->done)(std::move(refusal));
}

void SqlRunner::Run(Task task) {
  if (!MayRun(task)) return;
  while (task != nullptr) {
    absl::Status status = SqlTransaction(*context_, *lanes_, *task).Run();
    std::move(task->done)(std::move(status));
    task = Next(task->party);
  }
}

bool SqlRunner::MayRun(const Task& task) {
  const auto most = static_cast<size_t>(std::max(context_->options().sql_lanes / 2, 1));
  absl::MutexLock lock(&mu_);
  Party& party = parties_[task->party];
  if (party.running == most) {
    party.parked.push_back(task);
    return false;
  }
  ++party.running;
  return true;
}

SqlRunner::Task SqlRunner::Next(const std::string& name) {
  absl::MutexLock lock(&mu_);
  const auto found = parties_.find(name);
  Party& party = found->second;
  if (party.parked.empty()) {
    if (--party.running == 0) parties_.erase(found);
    return nullptr;
  }
  Task next = std::move(party.parked.front());
  party.parked.pop_front();
  return next;
}

}  // namespace hapax
