#include "hapax/storage/remote/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

// A second group of queries need not wait for the first one's fetch.
constexpr int kReadingGroups = 2;
// The slot takes one group at a time.
constexpr int kWritingGroups = 1;

}  // namespace

RemoteEngine::RemoteEngine(const RemoteOptions& options, RemoteBackend& backend, RemoteExecutor& executor)
    : context_(std::make_shared<RemoteContext>(options, backend, executor)),
      slot_(std::make_shared<SlotKeeper>(context_)) {}

void RemoteEngine::Start() {
  context_->executor().RunAfter(context_->options().patience, [self = weak_from_this()] {
    const auto engine = self.lock();
    if (engine == nullptr) return;
    {
      absl::MutexLock lock(&engine->mu_);
      if (engine->slot_taken_) return;
    }
    engine->OnStuck(Kind::kWriting);
  });
  slot_->Start([self = shared_from_this()](const absl::Status& status) { self->OnTaken(status); });
}

void RemoteEngine::OnTaken(const absl::Status& status) {
  if (!status.ok()) context_->Stop(status);
  {
    absl::MutexLock lock(&mu_);
    slot_taken_ = true;  // When stopped, groups are told so.
    stuck_ = false;
  }
  Pump(Kind::kWriting);
}

void RemoteEngine::Execute(Store::Body body, Store::Done done, std::string_view party) {
  Accept(Kind::kWriting, {.party = std::string(party), .body = std::move(body), .done = std::move(done)});
}

void RemoteEngine::Query(Store::ReadBody body, Store::Done done) {
  Accept(Kind::kReading, {.party = "",
                          .body = [body = std::move(body)](Transaction& txn) mutable { return body(txn); },
                          .done = std::move(done)});
}

void RemoteEngine::Accept(Kind kind, RemoteTask task) {
  if (absl::Status refusal = Enqueue(kind, task); !refusal.ok()) return std::move(task.done)(std::move(refusal));
  Pump(kind);
}

absl::Status RemoteEngine::Enqueue(Kind kind, RemoteTask& task) {
  if (const absl::Status status = context_->status(); !status.ok()) {
    return StoreError(absl::UnavailableError(absl::StrCat("the store has stopped: ", status.message())));
  }
  absl::MutexLock lock(&mu_);
  Queue& queue = QueueOf(kind);
  if (closing_) return absl::UnavailableError("the store is closing");
  if (kind == Kind::kWriting && stuck_) return StoreError(absl::UnavailableError("the store does not answer"));
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
  const int max_running = kind == Kind::kWriting ? kWritingGroups : kReadingGroups;
  if (kind == Kind::kWriting && !slot_taken_) return;
  while (queue.running < max_running && (!queue.left.empty() || !queue.waiting.empty())) {
    ++queue.running;
    // The group is made when its turn on the executor comes, so that it has all that wait by then.
    context_->executor().Run([self = shared_from_this(), kind] {
      std::vector<RemoteTask> tasks;
      {
        absl::MutexLock inner(&self->mu_);
        tasks = self->TakeGroup(kind);
        if (tasks.empty()) {
          --self->QueueOf(kind).running;
          return;
        }
      }
      const auto runner = std::make_shared<GroupRunner>(
          self->context_, kind == Kind::kWriting ? self->slot_ : nullptr, std::move(tasks),
          GroupRunner::Events{
              .told = [self](size_t count) { self->NoteTold(count); },
              .stuck = [self, kind] { self->OnStuck(kind); },
              .ended = [self, kind](GroupRunner::Ending ending) { self->OnEnded(kind, std::move(ending)); }});
      runner->Begin();
    });
    if (kind == Kind::kReading && queue.waiting.size() <= context_->options().max_group) return;
  }
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

void RemoteEngine::OnEnded(Kind kind, GroupRunner::Ending ending) {
  {
    absl::MutexLock lock(&mu_);
    Queue& queue = QueueOf(kind);
    --queue.running;
    if (kind == Kind::kWriting) stuck_ = false;
    for (auto task = ending.left.rbegin(); task != ending.left.rend(); ++task) {
      queue.left.push_front({.task = std::move(*task), .alone = ending.alone});
    }
    constexpr int64_t kPaidBytes = TurnQueue<RemoteTask>::kTurnBytes;  // Paid by its turn.
    for (const auto& [party, bytes] : ending.charges) {
      if (bytes > kPaidBytes) queue.waiting.Charge(party, bytes - kPaidBytes);
    }
  }
  Pump(kind);
}

void RemoteEngine::OnStuck(Kind kind) {
  std::vector<RemoteTask> tasks;
  {
    absl::MutexLock lock(&mu_);
    if (kind == Kind::kWriting) stuck_ = true;
    Queue& queue = QueueOf(kind);
    for (; !queue.left.empty(); queue.left.pop_front()) tasks.push_back(std::move(queue.left.front().task));
    while (!queue.waiting.empty()) tasks.push_back(queue.waiting.Pop());
  }
  for (RemoteTask& task : tasks) {
    std::move(task.done)(StoreError(absl::UnavailableError("the store does not answer")));
  }
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
