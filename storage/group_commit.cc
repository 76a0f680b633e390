#include "hapax/storage/group_commit.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "hapax/storage/rocksdb_transaction.h"

namespace hapax {
namespace {

// Transactions in a group at the most: a limit on what one fsync, and one failure, covers.
constexpr size_t kMaxGroupSize = 1024;
constexpr int kCompletionThreads = 2;

}  // namespace

GroupCommit::GroupCommit(RocksDbEngine& engine, size_t max_waiting)
    : engine_(engine),
      max_waiting_(max_waiting),
      completion_threads_(kCompletionThreads),
      executor_([this] { RunExecutor(); }),
      committer_([this] { RunCommitter(); }) {}

GroupCommit::~GroupCommit() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
    executor_wakeup_.Signal();
  }
  executor_.join();
  committer_.join();
}

void GroupCommit::Execute(Store::Body body, Store::Done done) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mu_);
    if (closing_) {
      // A `done` that the destructor waits for starts it; the executor may have ended already.
      refusal = absl::UnavailableError("the store is closing");
    } else if (waiting_.size() >= max_waiting_) {
      refusal = absl::ResourceExhaustedError("too many transactions are waiting");
    } else {
      waiting_.push_back({.body = std::move(body), .done = std::move(done)});
      executor_wakeup_.Signal();
      return;
    }
  }
  std::move(done)(std::move(refusal));
}

void GroupCommit::RunExecutor() {
  auto group = std::make_shared<Group>();
  while (true) {
    std::vector<Task> tasks = TakeTasks(*group);
    if (tasks.empty() && group->completions.empty()) break;
    for (Task& task : tasks) RunBody(std::move(task), *group);
    HandOver(group);
  }
  absl::MutexLock lock(&mu_);
  executor_done_ = true;
  committer_wakeup_.Signal();
}

// Waits until there is a transaction to run, or a group to hand over; empty in the latter case, and when
// it is time to end.
std::vector<GroupCommit::Task> GroupCommit::TakeTasks(Group& group) {
  const size_t room = kMaxGroupSize - group.completions.size();
  absl::MutexLock lock(&mu_);
  while (true) {
    const bool can_run = room > 0 && !waiting_.empty();
    const bool can_hand_over = !group.completions.empty() && committing_ == nullptr;
    const bool can_end = closing_ && waiting_.empty() && group.completions.empty();
    if (can_run || can_hand_over || can_end) break;
    executor_wakeup_.Wait(&mu_);
  }
  if (group.completions.empty()) Bind(group);
  if (waiting_.size() <= room) return std::exchange(waiting_, {});
  const auto end = waiting_.begin() + static_cast<ptrdiff_t>(room);
  std::vector<Task> tasks(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
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

// Gives the group to the committer, if that is free, and puts a new one in its place.
void GroupCommit::HandOver(std::shared_ptr<Group>& group) {
  absl::MutexLock lock(&mu_);
  if (committing_ != nullptr || group->completions.empty()) return;
  // The committer is free, so the fate of the group before is known. When that could not be committed,
  // this one only needs its callers told, and the next must not read from it.
  if (group->before != nullptr) group->status = group->before->status;
  group->before = nullptr;
  auto next = std::make_shared<Group>();
  if (group->status.ok()) next->before = group;
  committing_ = std::exchange(group, std::move(next));
  committer_wakeup_.Signal();
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

void GroupCommit::RunCommitter() {
  while (true) {
    std::shared_ptr<Group> group;
    {
      absl::MutexLock lock(&mu_);
      while (committing_ == nullptr && !executor_done_) committer_wakeup_.Wait(&mu_);
      if (committing_ == nullptr) return;
      group = committing_;
    }
    if (group->status.ok() && !group->writes.empty()) group->status = group->database->WriteDurably(group->writes);
    std::vector<Completion> completions = std::move(group->completions);
    if (!group->status.ok()) {
      for (Completion& completion : completions) {
        completion.status = group->status;
        completion.hooks.clear();
      }
    }
    {
      absl::MutexLock lock(&mu_);
      committing_ = nullptr;
      group->database = nullptr;  // Whoever reads through the group has it, too.
      executor_wakeup_.Signal();
    }
    completion_threads_.Deliver(std::move(completions));
  }
}

}  // namespace hapax
