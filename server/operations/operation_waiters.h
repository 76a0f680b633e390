#ifndef HAPAX_SERVER_OPERATIONS_OPERATION_WAITERS_H_
#define HAPAX_SERVER_OPERATIONS_OPERATION_WAITERS_H_

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"

namespace hapax {

// Calls that wait for an event, without a thread each. A waiter is woken once: when its topic is notified, its deadline
// has passed, its client has given up, or the server is about to end.
//
// Thread-safety: safe.
// Lifetime: the destructor wakes all waiters.
class OperationWaiters {
 public:
  using Wake = absl::AnyInvocable<void() &&>;
  // Checks these topics, and notifies those whose event has happened. May return before it has.
  using Check = absl::AnyInvocable<void(std::vector<std::string> topics)>;

  // How long a client that gave up may take a place.
  static constexpr absl::Duration kGivenUpCheckInterval = absl::Milliseconds(250);

  // `max_waiting`: the most waiters at a time. Waiters are asked whether they gave up every `given_up_check_interval`.
  explicit OperationWaiters(size_t max_waiting, absl::Duration given_up_check_interval = kGivenUpCheckInterval);
  ~OperationWaiters();
  OperationWaiters(const OperationWaiters&) = delete;
  OperationWaiters& operator=(const OperationWaiters&) = delete;

  // Calls `wake` later, on a thread of its own; calls `has_given_up` from time to time before. Changes of the wall
  // clock do not move the deadline. Returns false, calling neither, when too many wait. After Close it wakes at once.
  [[nodiscard]] bool Add(std::string topic, absl::Time deadline, absl::AnyInvocable<bool()> has_given_up, Wake wake);

  // Wakes the waiters of the topic. Does not block.
  void Notify(std::string_view topic);

  // For events elsewhere, which nobody notifies. While there are waiters, calls `check` with all their topics every
  // `interval`, on the waking thread. Everything that `check` uses outlives Close.
  void CheckEvery(absl::Duration interval, Check check);

  // Wakes all current and future waiters. Returns when no check runs, and none will. A check must not call it.
  void Close();

 private:
  struct Waiter {
    absl::Duration deadline;  // Monotonic time, as everywhere in this class.
    absl::AnyInvocable<bool()> has_given_up;
    Wake wake;
  };

  void Run();
  [[nodiscard]] absl::Duration NextLook() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CollectDue(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] std::vector<std::string> TopicsToCheck(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t max_waiting_;
  const absl::Duration given_up_check_interval_;
  Monitor mu_;
  absl::flat_hash_map<std::string, std::list<Waiter>> waiting_ ABSL_GUARDED_BY(mu_);  // By topic.
  size_t waiting_count_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Duration next_look_ ABSL_GUARDED_BY(mu_) =
      absl::InfiniteDuration();  // When the thread checks all waiters next.
  std::list<Waiter> due_ ABSL_GUARDED_BY(mu_);
  absl::Duration check_interval_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();
  absl::Duration next_check_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();
  bool checking_ ABSL_GUARDED_BY(mu_) = false;
  Check check_;  // Set before the first waiter; called by the thread.
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_OPERATION_WAITERS_H_
