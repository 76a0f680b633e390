#include "hapax/server/operations/operation_waiters.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "hapax/base/clock.h"

namespace hapax {

OperationWaiters::OperationWaiters(size_t max_waiting, absl::Duration given_up_check_interval)
    : max_waiting_(max_waiting), given_up_check_interval_(given_up_check_interval), thread_([this] { Run(); }) {}

OperationWaiters::~OperationWaiters() {
  Close();
  {
    MonitorLock lock(&mu_);
    ending_ = true;
    mu_.WakeAll();
  }
  thread_.join();
}

bool OperationWaiters::Add(std::string topic, absl::Time deadline, absl::AnyInvocable<bool()> has_given_up, Wake wake) {
  const absl::Duration left = deadline - absl::Now();
  const absl::Duration until = MonotonicNow() + left;  // Read last, so that nobody is woken too early.
  MonitorLock lock(&mu_);
  if (waiting_count_ >= max_waiting_) return false;
  // Wakes the thread for the first waiter, and for one that is due before the thread's next check.
  if (waiting_count_ == 0 || until < next_look_) mu_.WakeAll();
  if (waiting_count_ == 0) next_check_ = MonotonicNow() + check_interval_;
  ++waiting_count_;
  next_look_ = std::min(next_look_, until);
  waiting_[std::move(topic)].push_back(
      {.deadline = until, .has_given_up = std::move(has_given_up), .wake = std::move(wake)});
  return true;
}

void OperationWaiters::Notify(std::string_view topic) {
  MonitorLock lock(&mu_);
  const auto found = waiting_.find(absl::string_view(topic.data(), topic.size()));
  if (found == waiting_.end()) return;
  due_.splice(due_.end(), found->second);
  mu_.WakeAll();
  waiting_.erase(found);
}

void OperationWaiters::CheckEvery(absl::Duration interval, Check check) {
  MonitorLock lock(&mu_);
  check_interval_ = interval;
  check_ = std::move(check);
}

void OperationWaiters::Close() {
  MonitorLock lock(&mu_);
  closed_ = true;
  mu_.WakeAll();
  mu_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !checking_; });
}

// When to check all waiters next, unless something happens before.
absl::Duration OperationWaiters::NextLook() const {
  absl::Duration next = std::min(MonotonicNow() + given_up_check_interval_, next_check_);
  for (const auto& [topic, waiters] : waiting_) {
    for (const Waiter& waiter : waiters) next = std::min(next, waiter.deadline);
  }
  return next;
}

// Removes the waiters that need not wait any longer.
void OperationWaiters::CollectDue(absl::Duration now) {
  for (auto topic = waiting_.begin(); topic != waiting_.end();) {
    std::list<Waiter>& waiters = topic->second;
    for (auto waiter = waiters.begin(); waiter != waiters.end();) {
      const auto next = std::next(waiter);
      if (closed_ || waiter->deadline <= now || waiter->has_given_up()) due_.splice(due_.end(), waiters, waiter);
      waiter = next;
    }
    const auto next_topic = std::next(topic);
    if (waiters.empty()) waiting_.erase(topic);
    topic = next_topic;
  }
}

// Empty unless the check is due.
std::vector<std::string> OperationWaiters::TopicsToCheck(absl::Duration now) {
  std::vector<std::string> topics;
  if (closed_ || now < next_check_) return topics;
  next_check_ = now + check_interval_;
  for (const auto& [topic, waiters] : waiting_) topics.push_back(topic);
  return topics;
}

void OperationWaiters::Run() {
  const auto somebody_waits = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return ending_ || waiting_count_ > 0; };
  while (true) {
    std::list<Waiter> due;
    std::vector<std::string> topics;
    {
      MonitorLock lock(&mu_);
      mu_.Await(somebody_waits);
      const absl::Duration wakeup = NextLook();
      next_look_ = wakeup;
      const auto act_now = [this, wakeup]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return ending_ || closed_ || !due_.empty() || next_look_ < wakeup;
      };
      mu_.AwaitUntil(act_now, wakeup);
      CollectDue(MonotonicNow());
      due.swap(due_);
      waiting_count_ -= due.size();
      topics = TopicsToCheck(MonotonicNow());
      checking_ = !topics.empty();
      if (due.empty() && ending_) return;
    }
    for (Waiter& waiter : due) std::move(waiter.wake)();
    if (topics.empty()) continue;
    check_(std::move(topics));
    MonitorLock lock(&mu_);
    checking_ = false;
    mu_.WakeAll();
  }
}

}  // namespace hapax
