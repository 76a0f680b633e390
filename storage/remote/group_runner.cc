#include "hapax/storage/remote/group_runner.h"

#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "hapax/storage/remote/outcome_error.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

// A group that conflicted so often gives the slot to others. By then it has kept it for some 10 ms.
constexpr int kMaxConflicts = 3;
// A group fetches this often at most between two commits.
constexpr int kMaxFetches = 64;
// After a conflict a group goes on with guesses only if so many fetches did not find its reads.
constexpr int kFetchesAfterConflict = 4;

}  // namespace

GroupRunner::GroupRunner(std::shared_ptr<RemoteContext> context, std::shared_ptr<SlotKeeper> slot,
                         std::vector<RemoteTask> tasks, Events events)
    : context_(std::move(context)), slot_(std::move(slot)), events_(std::move(events)), tasks_(std::move(tasks)) {}

template <typename F, typename... Args>
void GroupRunner::Step(F&& step, Args&&... args) {
  std::optional<Ending> ending;
  {
    absl::MutexLock lock(&mu_);
    if (ended_) return;
    step(*this, std::forward<Args>(args)...);
    if (ended_) ending = std::move(ending_);
  }
  if (ending.has_value()) events_.ended(*std::move(ending));
}

template <typename Result, typename F>
auto GroupRunner::OnExecutor(F step) {
  return [self = shared_from_this(), step = std::move(step)](Result result) mutable {
    RemoteExecutor& executor = self->context_->executor();
    executor.Run([self = std::move(self), step = std::move(step), result = std::move(result)]() mutable {
      self->Step(step, std::move(result));
    });
  };
}

void GroupRunner::Begin() {
  context_->executor().RunAfter(context_->options().patience, [self = weak_from_this()] {
    if (const auto runner = self.lock(); runner != nullptr) {
      runner->Step([](GroupRunner& group) { group.OnImpatient(); });
    }
  });
  Step([](GroupRunner& group) {
    // A query that was right by guesses would still have to compare them.
    group.guesses_first_ = group.slot_ != nullptr && group.context_->GuessesFirst();
    group.Run();
  });
}

// ---- Run (R) and fetch (F)

void GroupRunner::Run() {
  if (const absl::Status status = context_->status(); !status.ok()) return Stop(status);
  RunBodies();
  const Speculation& reads = run_->reads();
  const int max_fetches = MaxFetches();
  if (reads.must_fetch() || (reads.guessed() && fetches_ < max_fetches)) {
    if (!guesses_first_ || conflicts_ > 0) Foresee();
    return Fetch(reads.Wanted());
  }
  if (!run_->writes_nothing()) return Commit();
  // All that was read is the state of one moment while the calls were open.
  if (!reads.guessed()) return Tell();
  Compare();
}

int GroupRunner::MaxFetches() const {
  if (guesses_first_ && conflicts_ == 0) return 0;
  // What others wait for is held, and further reads depend on it. So guesses of these are good.
  if (holds_ && conflicts_ <= 1) return 1;
  return conflicts_ > 0 ? kFetchesAfterConflict : context_->options().max_fetches;
}

void GroupRunner::RunBodies() {
  const absl::MutexLockMaybe turn(slot_ == nullptr ? nullptr : &context_->turn());
  bool fits = false;
  while (!fits) {
    run_ = std::make_unique<GroupRun>(
        state_, context_->guesses(),
        GroupRun::Options{.limits = context_->backend().limits(),
                          .write_refusal = slot_ == nullptr
                                               ? context_->Unavailable("the store cannot be written at the moment")
                                               : absl::OkStatus()});
    fits = true;
    int64_t bytes = 0;
    for (size_t i = 0; i < tasks_.size() && fits; ++i) {
      fits = run_->Add(tasks_[i]);
      if (!fits) {
        Leave(i);
      } else if (bytes += run_->results().back().bytes; bytes >= context_->options().max_group_bytes) {
        Leave(i + 1);
      }
    }
  }
}

void GroupRunner::Leave(size_t from) {
  const auto first = tasks_.begin() + static_cast<std::ptrdiff_t>(from);
  ending_.left.insert(ending_.left.begin(), std::make_move_iterator(first), std::make_move_iterator(tasks_.end()));
  tasks_.erase(first, tasks_.end());
}

void GroupRunner::Foresee() {
  if (slot_ == nullptr || !context_->backend().CanHold()) return;
  foreseen_ = {.slot = slot_->name(), .reads = run_->reads().reads(), .writes = run_->Writes()};
  for (RemoteGroup::Write& write : foreseen_.writes) write.value = std::nullopt;
}

void GroupRunner::Release() {
  if (std::exchange(holds_, false)) context_->backend().Release(slot_->name());
}

void GroupRunner::Fetch(RemoteFetch wanted) {
  if (++fetches_ > kMaxFetches) {
    return TellAll(StoreError(absl::UnavailableError("what the transaction reads changes too often")));
  }
  auto done = OnExecutor<absl::StatusOr<RemoteFetched>>(
      [wanted](GroupRunner& group, absl::StatusOr<RemoteFetched> fetched) mutable {
        group.OnFetched(std::move(wanted), std::move(fetched));
      });
  if (foreseen_.slot.empty()) return context_->backend().Fetch(std::move(wanted), std::move(done));
  holds_ = true;
  context_->backend().FetchAndHold(std::move(wanted), foreseen_, std::move(done));
}

void GroupRunner::OnFetched(RemoteFetch wanted, absl::StatusOr<RemoteFetched> fetched) {
  context_->NoteRead(fetched.status());
  if (absl::IsUnavailable(fetched.status())) {
    --fetches_;
    return context_->RunLater(failures_++, [self = shared_from_this(), wanted = std::move(wanted)]() mutable {
      self->Step([&](GroupRunner& group) { group.Fetch(std::move(wanted)); });
    });
  }
  if (!fetched.ok()) return OnRefused(fetched.status());
  state_ = FetchedState(std::move(wanted), *std::move(fetched));
  for (const auto& [key, value] : state_.values()) {
    if (key.kind == RemoteKey::Kind::kRow) context_->guesses().Put(key, value);
  }
  Run();
}

// ---- Compare (O)

void GroupRunner::Compare() {
  context_->backend().Compare(run_->reads().reads(),
                              OnExecutor<absl::StatusOr<bool>>([](GroupRunner& group, absl::StatusOr<bool> unchanged) {
                                group.OnCompared(unchanged);
                              }));
}

void GroupRunner::OnCompared(const absl::StatusOr<bool>& unchanged) {
  context_->NoteRead(unchanged.status());
  if (absl::IsUnavailable(unchanged.status())) {
    return context_->RunLater(failures_++,
                              [self = shared_from_this()] { self->Step([](GroupRunner& group) { group.Compare(); }); });
  }
  if (!unchanged.ok()) return OnRefused(unchanged.status());
  *unchanged ? Tell() : OnConflict();
}

// ---- Commit (C)

void GroupRunner::Commit() {
  before_ = slot_->value();
  may_be_applied_ = true;
  holds_ = false;  // Until this commit.
  context_->backend().Commit(
      {.slot = slot_->name(), .before = before_, .reads = run_->reads().reads(), .writes = run_->Writes()},
      OnExecutor<RemoteCommitted>(
          [](GroupRunner& group, RemoteCommitted committed) { group.OnCommitted(std::move(committed)); }));
}

void GroupRunner::OnCommitted(RemoteCommitted committed) {
  context_->NoteWrite(committed.status);
  switch (committed.outcome) {
    case RemoteCommitted::Outcome::kApplied:
      slot_->NoteApplied();
      return OnApplied(committed.revision);
    case RemoteCommitted::Outcome::kNotApplied: {
      RemoteSlot after = before_;
      ++after.seq;
      if (committed.slot == before_) {
        may_be_applied_ = false;
        return OnConflict();
      }
      if (committed.slot != after) return Resolve();
      slot_->NoteApplied();  // By another delivery of the same request.
      return OnApplied(/*revision=*/0);
    }
    case RemoteCommitted::Outcome::kRefused:
      may_be_applied_ = false;
      return OnRefused(committed.status);
    case RemoteCommitted::Outcome::kUnknown:
      if (absl::IsFailedPrecondition(committed.status)) return Stop(committed.status);
      return Resolve();
  }
}

void GroupRunner::OnApplied(int64_t revision) {
  may_be_applied_ = false;
  run_->NoteApplied(revision, context_->guesses());
  Tell();
}

void GroupRunner::OnConflict() {
  context_->NoteConflict();
  for (RemoteTask& task : tasks_) ++task.conflicts;
  if (++conflicts_ < kMaxConflicts) return RunAgain(conflicts_ - 1);
  ending_.conflicting = std::exchange(tasks_, {});
  End();
}

void GroupRunner::RunAgain(int attempt) {
  if (tasks_.empty()) return End();  // Nobody waits any more.
  Release();
  Foresee();
  RemoteFetch wanted = run_->reads().Wanted();
  for (const RemoteKey& key : wanted.keys) context_->guesses().Erase(key);
  run_ = nullptr;
  state_ = FetchedState();
  fetches_ = 0;
  context_->RunLater(attempt, [self = shared_from_this(), wanted = std::move(wanted)]() mutable {
    self->Step([&](GroupRunner& group) { group.Fetch(std::move(wanted)); });
  });
}

// ---- Resolve (V)

void GroupRunner::Resolve() {
  events_.resolving();
  slot_->Resolve([self = shared_from_this()](absl::Status status) {
    self->Step([&](GroupRunner& group) { group.OnResolved(std::move(status)); });
  });
}

void GroupRunner::OnResolved(absl::Status status) {
  if (!status.ok()) return Stop(status);
  const uint64_t seq = slot_->value().seq;
  if (seq == before_.seq + 1) return OnApplied(/*revision=*/0);
  if (seq != before_.seq) {
    return Stop(absl::FailedPreconditionError(
        absl::StrCat("the slot ", slot_->name(), " has number ", seq, " after group ", before_.seq + 1)));
  }
  may_be_applied_ = false;  // It was not applied and never will be, since its epoch is too low.
  conflicts_ = std::max(conflicts_, 1);
  RunAgain(/*attempt=*/0);
}

// ---- Errors

// The request changed nothing and never will.
void GroupRunner::OnRefused(const absl::Status& error) {
  if (absl::IsFailedPrecondition(error)) return Stop(error);
  if (absl::IsUnavailable(error)) return RunAgain(failures_++);
  if (!IsTooLarge(error)) return TellAll(ToCallers(error));
  if (tasks_.size() > 1) return RunAlone();
  TellAll(TooLarge(error));
}

void GroupRunner::OnImpatient() {
  if (!may_be_applied_) {
    // With conflicts the database does answer.
    if (conflicts_ == 0) events_.stuck({});
    return TellAll(context_->Unavailable("the store does not answer"));
  }
  std::vector<RemoteTask> readers;
  size_t told = 0;
  const absl::Status may_be_durable = context_->Unavailable(kMayBeDurable);
  for (size_t i = 0; i < tasks_.size(); ++i) {
    if (run_->results()[i].only_read) {
      readers.push_back(std::move(tasks_[i]));
    } else {
      std::move(tasks_[i].done)(may_be_durable);
      ++told;
    }
  }
  tasks_.clear();
  events_.told(told);
  events_.stuck(std::move(readers));
}

void GroupRunner::Stop(const absl::Status& reason) {
  context_->Stop(reason);
  TellAll(StoreError(absl::UnavailableError(may_be_applied_
                                                ? absl::StrCat(kMayBeDurable, " at another server: ", reason.message())
                                                : absl::StrCat("the store has stopped: ", reason.message()))));
}

void GroupRunner::RunAlone() {
  Leave(0);
  ending_.alone = true;
  End();
}

// ---- Tell (A)

void GroupRunner::Tell() {
  const absl::MutexLockMaybe turn(slot_ == nullptr ? nullptr : &context_->turn());
  const size_t told = tasks_.size();
  for (size_t i = 0; i < told; ++i) {
    GroupRun::Result& result = run_->results()[i];
    ending_.charges.emplace_back(tasks_[i].party, result.bytes);
    if (result.status.ok()) {
      for (auto& hook : result.hooks) hook();
    }
    std::move(tasks_[i].done)(std::move(result.status));
  }
  tasks_.clear();
  events_.told(told);
  End();
}

void GroupRunner::TellAll(const absl::Status& status) {
  const size_t told = tasks_.size();
  for (RemoteTask& task : std::exchange(tasks_, {})) std::move(task.done)(status);
  events_.told(told);
  End();
}

void GroupRunner::End() {
  Release();
  ended_ = true;
  run_ = nullptr;
}

}  // namespace hapax
