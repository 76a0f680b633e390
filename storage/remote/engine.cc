#include "hapax/storage/remote/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/clock.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

// A second group of queries need not wait for the first one's fetch.
constexpr int kReadingGroups = 2;
// How long a group gathers transactions while servers compete. It then waits for the groups of the others, and callers
// that were just told come back in the meantime.
constexpr absl::Duration kGathering = absl::Milliseconds(3);
// After so many conflicts each transaction has a group of its own. On rows that all write, a small group conflicts as
// often as a large one, so groups stay together for a while.
constexpr int kConflictsTogether = 9;
// After so many the transaction is told UNAVAILABLE.
constexpr int kMaxConflicts = 60;

}  // namespace

RemoteEngine::RemoteEngine(const RemoteOptions& options, RemoteBackend& backend, RemoteExecutor& executor)
    : context_(std::make_shared<RemoteContext>(options, backend, executor)) {
  for (int i = 0; i < options.slots; ++i) {
    slots_.push_back({.keeper = std::make_shared<SlotKeeper>(context_, absl::StrCat(options.slot, "/", i))});
  }
}

void RemoteEngine::Start() {
  for (size_t i = 0; i < static_cast<size_t>(context_->options().slots); ++i) {
    std::shared_ptr<SlotKeeper> keeper;
    {
      absl::MutexLock lock(&mu_);
      keeper = slots_[i].keeper;
    }
    keeper->Start([self = shared_from_this(), i](const absl::Status& status) { self->OnTaken(i, status); });
    context_->executor().RunAfter(context_->options().patience, [self = weak_from_this(), i] {
      const auto engine = self.lock();
      if (engine == nullptr) return;
      {
        absl::MutexLock lock(&engine->mu_);
        if (engine->slots_[i].is_taken) return;
      }
      engine->OnStuck(Kind::kWriting, i, {});
    });
  }
}

void RemoteEngine::OnTaken(size_t slot, const absl::Status& status) {
  if (!status.ok()) context_->Stop(status);
  {
    absl::MutexLock lock(&mu_);
    slots_[slot].is_taken = true;  // When stopped, groups are told so.
    slots_[slot].is_stuck = false;
  }
  Pump(Kind::kWriting);
}

void RemoteEngine::Execute(Store::Body body, Store::Done done, std::string_view party) {
  Accept(Kind::kWriting,
         {.party = std::string(party), .body = std::move(body), .done = std::move(done), .accepted = MonotonicNow()});
}

void RemoteEngine::Query(Store::ReadBody body, Store::Done done) {
  Accept(Kind::kReading, {.party = "",
                          .body = [body = std::move(body)](Transaction& txn) mutable { return body(txn); },
                          .done = std::move(done),
                          .accepted = MonotonicNow()});
}

absl::Status RemoteEngine::health() const {
  if (absl::Status stopped = context_->status(); !stopped.ok()) return stopped;
  if (absl::Status error = context_->read_error(); !error.ok()) return error;
  absl::Status error = context_->write_error();
  // Of one group: others are applied.
  return absl::IsResourceExhausted(error) || absl::IsInvalidArgument(error) ? absl::OkStatus() : error;
}

void RemoteEngine::Accept(Kind kind, RemoteTask task) {
  if (absl::Status refusal = Enqueue(kind, task); !refusal.ok()) return std::move(task.done)(std::move(refusal));
  Pump(kind);
}

absl::Status RemoteEngine::Enqueue(Kind& kind, RemoteTask& task) {
  if (const absl::Status status = context_->status(); !status.ok()) {
    return StoreError(absl::UnavailableError(absl::StrCat("the store has stopped: ", status.message())));
  }
  absl::MutexLock lock(&mu_);
  if (closing_) return absl::UnavailableError("the store is closing");
  if (kind == Kind::kWriting && AllStuck()) {
    if (!context_->read_error().ok()) return context_->Unavailable("the store does not answer");
    kind = Kind::kReading;
  }
  Queue& queue = QueueOf(kind);
  if (!queue.waiting.HasRoom(task.party, context_->options().max_waiting)) {
    return absl::ResourceExhaustedError("too many transactions are waiting");
  }
  ++untold_;
  const std::string party = task.party;
  queue.waiting.Push(party, std::move(task));
  return absl::OkStatus();
}

void RemoteEngine::Pump(Kind kind) {
  absl::MutexLock lock(&mu_);
  Queue& queue = QueueOf(kind);
  while (!queue.empty()) {
    size_t slot = kNoSlot;
    if (kind == Kind::kWriting) {
      slot = FreeSlot();
      if (slot == kNoSlot) return;
      slots_[slot].has_group = true;
    } else if (queue.running == kReadingGroups) {
      return;
    }
    ++queue.running;
    // The group is made when its turn on the executor comes, so that it has all that wait by then.
    auto begin = [self = shared_from_this(), kind, slot] { self->BeginGroup(kind, slot); };
    if (kind == Kind::kWriting && has_told_ && context_->IsContended()) {
      context_->executor().RunAfter(kGathering, std::move(begin));
    } else {
      context_->executor().Run(std::move(begin));
    }
    if (kind == Kind::kReading && queue.waiting.size() <= context_->options().max_group) return;
  }
}

void RemoteEngine::BeginGroup(Kind kind, size_t slot) {
  std::vector<RemoteTask> tasks;
  std::shared_ptr<SlotKeeper> keeper;
  {
    absl::MutexLock lock(&mu_);
    tasks = TakeGroup(kind);
    if (slot != kNoSlot) keeper = slots_[slot].keeper;
  }
  if (tasks.empty()) return OnEnded(kind, slot, {});
  const auto self = shared_from_this();
  const auto runner = std::make_shared<GroupRunner>(
      context_, std::move(keeper), std::move(tasks),
      GroupRunner::Events{
          .told = [self](size_t count) { self->NoteTold(count); },
          .resolving = [self, slot] { self->OnResolving(slot); },
          .stuck = [self, kind,
                    slot](std::vector<RemoteTask> readers) { self->OnStuck(kind, slot, std::move(readers)); },
          .ended = [self, kind, slot](GroupRunner::Ending ending) { self->OnEnded(kind, slot, std::move(ending)); }});
  runner->Begin();
}

size_t RemoteEngine::FreeSlot() const {
  size_t free = kNoSlot;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.has_group && !slot.is_resolving) return kNoSlot;
    if (slot.is_taken && !slot.has_group) free = i;
  }
  return free;
}

bool RemoteEngine::AllStuck() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.is_stuck; });
}

void RemoteEngine::OnResolving(size_t slot) {
  {
    absl::MutexLock lock(&mu_);
    slots_[slot].is_resolving = true;
  }
  Pump(Kind::kWriting);
}

std::vector<RemoteTask> RemoteEngine::TakeGroup(Kind kind) {
  Queue& queue = QueueOf(kind);
  std::vector<RemoteTask> tasks;
  while (!queue.left.empty() && tasks.size() < context_->options().max_group) {
    const bool alone = queue.left.front().alone;
    if (alone && !tasks.empty()) return tasks;
    tasks.push_back(std::move(queue.left.front().task));
    queue.left.pop_front();
    if (alone) return tasks;
  }
  while (!queue.waiting.empty() && tasks.size() < context_->options().max_group) {
    tasks.push_back(queue.waiting.Pop());
  }
  return tasks;
}

void RemoteEngine::OnEnded(Kind kind, size_t slot, GroupRunner::Ending ending) {
  {
    absl::MutexLock lock(&mu_);
    Queue& queue = QueueOf(kind);
    --queue.running;
    if (kind == Kind::kWriting) has_told_ = ending.conflicting.empty() && ending.left.empty();
    if (slot != kNoSlot) slots_[slot].has_group = slots_[slot].is_resolving = slots_[slot].is_stuck = false;
    for (auto task = ending.left.rbegin(); task != ending.left.rend(); ++task) {
      queue.left.push_front({.task = std::move(*task), .alone = ending.alone});
    }
    constexpr int64_t kPaidBytes = TurnQueue<RemoteTask>::kTurnBytes;  // Paid by its turn.
    for (const auto& [party, bytes] : ending.charges) {
      if (bytes > kPaidBytes) queue.waiting.Charge(party, bytes - kPaidBytes);
    }
  }
  if (!ending.conflicting.empty()) RunLater(kind, std::move(ending.conflicting));
  Pump(kind);
}

void RemoteEngine::RunLater(Kind kind, std::vector<RemoteTask> tasks) {
  const absl::Duration oldest = MonotonicNow() - context_->options().patience;
  std::vector<RemoteTask> given_up;
  std::vector<RemoteTask> again;
  for (RemoteTask& task : tasks) {
    const bool gives_up = task.conflicts >= kMaxConflicts || task.accepted < oldest;
    (gives_up ? given_up : again).push_back(std::move(task));
  }
  TellAll(std::move(given_up),
          StoreError(absl::UnavailableError("other servers change what the transaction reads too often")));
  if (again.empty()) return;
  const int attempt = again.front().conflicts;
  context_->RunLater(attempt, [self = shared_from_this(), kind, again = std::move(again)]() mutable {
    {
      absl::MutexLock lock(&self->mu_);
      Queue& queue = self->QueueOf(kind);
      for (auto task = again.rbegin(); task != again.rend(); ++task) {
        const bool alone = task->conflicts >= kConflictsTogether;
        queue.left.push_front({.task = std::move(*task), .alone = alone});
      }
    }
    self->Pump(kind);
  });
}

void RemoteEngine::OnStuck(Kind kind, size_t slot, std::vector<RemoteTask> readers) {
  std::vector<RemoteTask> tasks = std::move(readers);
  {
    absl::MutexLock lock(&mu_);
    if (slot != kNoSlot) slots_[slot].is_stuck = true;
    if (kind == Kind::kWriting && context_->read_error().ok()) {
      if (AllStuck()) {
        kind = Kind::kReading;
        for (RemoteTask& task : TakeAll(Kind::kWriting)) tasks.push_back(std::move(task));
      }
      std::deque<Left>& left = QueueOf(kind).left;
      for (RemoteTask& task : std::exchange(tasks, {})) left.push_back({.task = std::move(task)});
    } else {
      for (RemoteTask& task : TakeAll(kind)) tasks.push_back(std::move(task));
    }
  }
  TellAll(std::move(tasks), context_->Unavailable("the store does not answer"));
  Pump(kind);
}

std::vector<RemoteTask> RemoteEngine::TakeAll(Kind kind) {
  Queue& queue = QueueOf(kind);
  std::vector<RemoteTask> tasks;
  for (; !queue.left.empty(); queue.left.pop_front()) tasks.push_back(std::move(queue.left.front().task));
  while (!queue.waiting.empty()) tasks.push_back(queue.waiting.Pop());
  return tasks;
}

void RemoteEngine::TellAll(std::vector<RemoteTask> tasks, const absl::Status& status) {
  for (RemoteTask& task : tasks) std::move(task.done)(status);
  NoteTold(tasks.size());
}

void RemoteEngine::NoteTold(size_t count) {
  absl::MutexLock lock(&mu_);
  untold_ -= count;
}

void RemoteEngine::AwaitTold() {
  absl::MutexLock lock(&mu_);
  closing_ = true;
  const auto all_told = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return untold_ == 0; };
  mu_.Await(absl::Condition(&all_told));
}

}  // namespace hapax
