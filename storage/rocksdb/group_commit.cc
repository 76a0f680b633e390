#include "hapax/storage/rocksdb/group_commit.h"

#include <algorithm>
#include <utility>

#include "hapax/storage/rocksdb/transaction.h"

namespace hapax {
namespace {

// The most transactions in a group. Larger groups were no faster (1024: the same number of executions a second).
constexpr size_t kMaxGroupSize = 64;
// The limit for each party of a group while several are active, since a new call waits for two groups. With 64 from a
// flooding party, another party's call took 20 ms, with 16 9 ms, with 8 4 ms (1024 launches in flight, 2 cores).
constexpr size_t kMaxPartySize = 8;
// Several parties count as active until this many groups after the last group that had several.
constexpr int kSharedGroups = 64;
// A group takes no more transactions once its bodies have read and written this many bytes. So a larger transaction is
// the last of its group.
constexpr int64_t kMaxGroupBytes = int64_t{1} << 20;
// One runs bodies, one commits, one tells callers.
constexpr int kThreads = 3;
// A thread tells up to this many callers before it commits the next group; for more it wakes another thread to commit.
constexpr size_t kToldBeforeCommit = 4;

}  // namespace

GroupCommit::GroupCommit(RocksDbEngine& engine, size_t max_waiting) : engine_(engine), max_waiting_(max_waiting) {
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Work(); });
}

GroupCommit::~GroupCommit() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
    wakeup_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void GroupCommit::Execute(Store::Body body, Store::Done done, std::string_view party) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mu_);
    if (closing_) {
      // A `done` that the destructor waits for started this transaction; the threads may have ended already.
      refusal = absl::UnavailableError("the store is closing");
    } else if (!waiting_.HasRoom(party, max_waiting_)) {
      refusal = absl::ResourceExhaustedError("too many transactions are waiting");
    } else {
      waiting_.Push(party, {.party = std::string(party), .body = std::move(body), .done = std::move(done)});
      WakeForMoreWork();
      return;
    }
  }
  std::move(done)(std::move(refusal));
}

void GroupCommit::Work() {
  absl::MutexLock lock(&mu_);
  while (true) {
    if (CanCommit()) {
      Commit();
    } else if (CanRunBodies()) {
      RunBodies();
    } else if (CanEnd()) {
      wakeup_.SignalAll();
      return;
    } else {
      Sleep();
    }
  }
}

bool GroupCommit::CanRunBodies() const { return !running_ && !waiting_.empty() && HasRoom(*gathering_); }

bool GroupCommit::CanCommit() const { return !running_ && committing_ == nullptr && !gathering_->completions.empty(); }

bool GroupCommit::CanEnd() const {
  return closing_ && !running_ && waiting_.empty() && gathering_->completions.empty();
}

// Wakes a sleeping thread if there is work besides this thread's.
void GroupCommit::WakeForMoreWork() {
  const int useful = static_cast<int>(CanRunBodies()) + static_cast<int>(CanCommit());
  if (woken_ >= std::min(useful, sleeping_)) return;
  ++woken_;
  wakeup_.Signal();
}

void GroupCommit::Sleep() {
  ++sleeping_;
  wakeup_.Wait(&mu_);
  --sleeping_;
  woken_ = std::max(woken_ - 1, 0);
}

void GroupCommit::RunBodies() {
  if (gathering_->completions.empty()) ChooseDatabase(*gathering_);
  Group& group = *gathering_;
  running_ = true;
  // Runs only as many bodies as wait now, so that these need not wait for later ones. One at a time, since the cost of
  // a body decides whether there is room for another, and whose turn it is.
  for (size_t left = waiting_.size(); left > 0 && HasRoom(group); --left) {
    Task task = waiting_.Pop();
    const std::string party = std::move(task.party);
    const int64_t before = group.bytes;
    mu_.Unlock();
    RunBody(std::move(task), group);
    mu_.Lock();
    NoteRun(party, group.bytes - before, group);
  }
  running_ = false;
}

void GroupCommit::NoteRun(std::string party, int64_t bytes, Group& group) {
  constexpr int64_t kPaidBytes = TurnQueue<Task>::kTurnBytes;  // Paid by its turn.
  if (bytes > kPaidBytes) waiting_.Charge(party, bytes - kPaidBytes);
  if (party.empty()) return;
  group.parties.insert(std::move(party));
  if (group.parties.size() > 1) shared_groups_ = kSharedGroups;
}

bool GroupCommit::HasRoom(const Group& group) const {
  const size_t share = kMaxPartySize * std::max<size_t>(group.parties.size(), 1);
  const size_t max_size = shared_groups_ > 0 ? std::min(share, kMaxGroupSize) : kMaxGroupSize;
  return group.completions.size() < max_size && group.bytes < kMaxGroupBytes;
}

// Decides which database the group belongs to. If the previous group, which it reads through, is being committed, it is
// that group's. Otherwise it is the current one, which has the previous group's writes or never will.
void GroupCommit::ChooseDatabase(Group& group) const {
  if (committing_ == nullptr) group.before = nullptr;
  if (group.before != nullptr) {
    group.database = committing_->database;
  } else if (auto current = engine_.Current(); current.ok()) {
    group.database = *std::move(current);
  } else {
    group.status = std::move(current).status();
  }
}

void GroupCommit::RunBody(Task task, Group& group) {
  if (group.database == nullptr) {
    group.completions.push_back({.status = group.status, .done = std::move(task.done)});
    return;
  }
  const Overlay* layers[] = {&group.writes, group.before == nullptr ? nullptr : &group.before->writes};
  RocksDbTransaction transaction(*group.database, /*snapshot=*/nullptr,
                                 absl::MakeConstSpan(layers, group.before == nullptr ? 1 : 2));
  Completion completion{.status = task.body(transaction), .done = std::move(task.done)};
  if (completion.status.ok()) completion.status = transaction.refusal();
  group.bytes += transaction.bytes();
  if (completion.status.ok() && group.database->failed() && !transaction.writes().empty()) {
    // Its write would fail the whole group, including transactions that only read.
    completion.status = absl::UnavailableError("writes are suspended");
  }
  if (completion.status.ok()) {
    group.writes.Absorb(std::move(transaction.writes()));
    completion.hooks = std::move(transaction.hooks());
  }
  group.completions.push_back(std::move(completion));
}

void GroupCommit::Commit() {
  const std::shared_ptr<Group> group = std::exchange(gathering_, std::make_shared<Group>());
  // The previous group's result is known by now. If it failed, this group only tells its callers, and the next must not
  // read from it.
  if (group->before != nullptr) group->status = group->before->status;
  group->before = nullptr;
  if (group->status.ok()) gathering_->before = group;
  if (shared_groups_ > 0) --shared_groups_;
  committing_ = group;
  WakeForMoreWork();
  mu_.Unlock();

  if (group->status.ok() && !group->writes.empty()) group->status = group->database->WriteDurably(group->writes);
  std::vector<Completion> completions = std::move(group->completions);
  if (!group->status.ok()) {
    for (Completion& completion : completions) {
      completion.status = group->status;
      completion.hooks.clear();
    }
  }

  mu_.Lock();
  committing_ = nullptr;
  group->database = nullptr;  // The group that reads through this one holds it, too.
  if (completions.size() > kToldBeforeCommit) WakeForMoreWork();
  mu_.Unlock();
  NotifyCallers(std::move(completions));
  mu_.Lock();
}

void GroupCommit::NotifyCallers(std::vector<Completion> completions) {
  for (Completion& completion : completions) {
    if (completion.status.ok()) {
      for (auto& hook : completion.hooks) hook();
    }
    std::move(completion.done)(std::move(completion.status));
  }
}

}  // namespace hapax
