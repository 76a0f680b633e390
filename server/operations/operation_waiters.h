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

// Calls that wait for something to happen, without a thread each. A waiter is woken once: when its topic is
// notified, its time is up, its client has given up, or the server is about to end.
//
// Thread-safety: safe.
// Lifetime: the destructor wakes all who wait.
class OperationWaiters {
 public:
  using Wake = absl::AnyInvocable<void() &&>;
  // Looks at these topics, and notifies those whose event has happened. May return before it has.
  using Check = absl::AnyInvocable<void(std::vector<std::string> topics)>;

  // How long a client that gave up may take a place.
  static constexpr absl::Duration kGivenUpCheckInterval = absl::Milliseconds(250);

  // At most `max_waiting` at a time. Waiters are asked whether they gave up every `given_up_check_interval`.
  explicit OperationWaiters(size_t max_waiting, absl::Duration given_up_check_interval = kGivenUpCheckInterval);
  ~OperationWaiters();
  OperationWaiters(const OperationWaiters&) = delete;
  OperationWaiters& operator=(const OperationWaiters&) = delete;

  // Calls `wake`, later, on a thread of its own; `has_given_up` is asked now and then before. What the
  // wall clock does from then on makes no difference to when that is. False, calling neither,
  // when too many wait. Once closed it wakes at once.
  [[nodiscard]] bool Add(std::string topic, absl::Time deadline, absl::AnyInvocable<bool()> has_given_up, Wake wake);

  // Wakes those who wait for the topic. Does not block.
  void Notify(std::string_view topic);

  // For events that happen elsewhere, where nobody calls Notify: calls `check` every `interval` while somebody waits,
  // with all topics that are waited for, on the thread that wakes. What `check` uses lives until Close has returned.
  void CheckEvery(absl::Duration interval, Check check);

  // Wakes everyone, from now on. Returns when no check runs, and none will. Not to be called by a check.
  void Close();

 private:
  struct Waiter {
    absl::Duration deadline;  // Monotonic time, as all within.
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
      absl::InfiniteDuration();  // When the thread looks through them next.
  std::list<Waiter> due_ ABSL_GUARDED_BY(mu_);
  absl::Duration check_interval_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();
  absl::Duration next_check_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();
  bool checking_ ABSL_GUARDED_BY(mu_) = false;
  Check check_;  // Changed before anybody waits; called by the thread.
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_OPERATION_WAITERS_H_
