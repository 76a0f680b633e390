#include "hapax/storage/group_commit.h"

#include <algorithm>
#include <utility>

#include "hapax/storage/rocksdb_transaction.h"

namespace hapax {
namespace {

// Transactions in a group at the most. Whoever comes waits for two groups, so small ones keep a party that floods
// from slowing the others; larger ones than this were no faster (1024: as many executions a second).
constexpr size_t kMaxGroupSize = 64;
// One runs bodies, one commits, one tells.
constexpr int kThreads = 3;
// Up to so many are told before the next group is committed; for more another thread is woken to commit it.
constexpr size_t kHandful = 4;

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
      // A `done` that the destructor waits for starts it; the threads may have ended already.
      refusal = absl::UnavailableError("the store is closing");
    } else if (!waiting_.HasRoom(party, max_waiting_)) {
      refusal = absl::ResourceExhaustedError("too many transactions are waiting");
    } else {
      waiting_.Push(party, {.body = std::move(body), .done = std::move(done)});
      WakeWhomItTakes();
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

bool GroupCommit::CanRunBodies() const {
  return !running_ && !waiting_.empty() && gathering_->completions.size() < kMaxGroupSize;
}

bool GroupCommit::CanCommit() const { return !running_ && committing_ == nullptr && !gathering_->completions.empty(); }

bool GroupCommit::CanEnd() const {
  return closing_ && !running_ && waiting_.empty() && gathering_->completions.empty();
}

// To be called when there is something to do for another thread than this one.
void GroupCommit::WakeWhomItTakes() {
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
  if (gathering_->completions.empty()) Bind(*gathering_);
  std::vector<Task> tasks = TakeTasks();
  Group& group = *gathering_;
  running_ = true;
  mu_.Unlock();
  for (Task& task : tasks) RunBody(std::move(task), group);
  mu_.Lock();
  running_ = false;
}

// As many as the group has room for.
std::vector<GroupCommit::Task> GroupCommit::TakeTasks() {
  const size_t count = std::min(waiting_.size(), kMaxGroupSize - gathering_->completions.size());
  std::vector<Task> tasks;
  tasks.reserve(count);
  while (tasks.size() < count) tasks.push_back(waiting_.Pop());
  return tasks;
}

// Decides which database the group belongs to. While the group before, through which it reads, is being committed,
// that is the same one; otherwise the current one, which has the writes of the group before or never will.
void GroupCommit::Bind(Group& group) const {
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
  if (completion.status.ok() && group.database->failed() && !transaction.writes().empty()) {
    // The group would fail with it, and so would those who only read.
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
  // The fate of the group before is known by now. When that could not be committed, this one only needs its
  // callers told, and the next must not read from it.
  if (group->before != nullptr) group->status = group->before->status;
  group->before = nullptr;
  if (group->status.ok()) gathering_->before = group;
  committing_ = group;
  WakeWhomItTakes();
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
  group->database = nullptr;  // Whoever reads through the group has it, too.
  if (completions.size() > kHandful) WakeWhomItTakes();
  mu_.Unlock();
  Tell(std::move(completions));
  mu_.Lock();
}

void GroupCommit::Tell(std::vector<Completion> completions) {
  for (Completion& completion : completions) {
    if (completion.status.ok()) {
      for (auto& hook : completion.hooks) hook();
    }
    std::move(completion.done)(std::move(completion.status));
  }
}

}  // namespace hapax
