#ifndef HAPAX_INTERCEPTORS_MESSAGE_BUDGET_H_
#define HAPAX_INTERCEPTORS_MESSAGE_BUDGET_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace hapax {

// Bounds the bytes of messages: of requests that are being read, and of large ones until their calls end; or of replies
// that are being made, and of large ones until they are sent.
//
//   if (budget.TryReserve()) Read();                           // Else Reserve(tenant, Read), and Uncount(tenant) then.
//   ...
//   const bool is_large = budget.Settle(tenant, bytes.size());  // It has come.
//   ...
//   if (is_large) budget.Return(tenant, bytes.size());          // The call ends.
//
// How long a message is, is known when it is there. So each takes the longest one's bytes until then. What finds no
// room waits. Once half of the bytes are taken, those that come are counted by tenant: one takes a quarter more at the
// most, and those that wait go on in turns of their tenants. So a quarter is left to others.
//
// Thread-safety: safe. `go_on` runs within any of these, without a lock.
class MessageBudget {
 public:
  struct Options {
    int64_t bytes = int64_t{256} << 20;
    int64_t max_message_bytes = int64_t{4} << 20;
  };
  // A message up to this length is not counted once it is there: calls in flight bound the number of such.
  static constexpr int64_t kSmallBytes = int64_t{16} << 10;

  // There is room for two messages of the greatest length, whatever `bytes` says.
  explicit MessageBudget(const Options& options);

  // Takes bytes for a message that is about to be read, not counted as a tenant's; false when half of all are taken.
  [[nodiscard]] bool TryReserve();
  // Takes bytes for a tenant's message, now or later, and goes on.
  void Reserve(std::string_view tenant, absl::AnyInvocable<void()> go_on);
  // What Reserve took is the tenant's no longer, but still taken.
  void Uncount(std::string_view tenant);
  // A request has come, or will not come: gives back what it does not take. True: Return is still to be called, and
  // until then it is the tenant's.
  [[nodiscard]] bool Settle(std::string_view tenant, size_t message_bytes);
  // Takes bytes for a tenant's message that is there, whether there is room for it or not.
  void Take(std::string_view tenant, size_t message_bytes);
  // A message's bytes are freed, or those that Reserve took.
  void Return(std::string_view tenant, size_t message_bytes);

  // Whether less than half is taken, or less than a quarter by the tenant.
  [[nodiscard]] bool HasRoom(std::string_view tenant);
  // Whether bytes are counted as the tenant's.
  [[nodiscard]] bool IsTaking(std::string_view tenant);
  // Bytes that are taken, as of a moment ago.
  [[nodiscard]] int64_t taken() const { return bytes_ - left_.load(std::memory_order_relaxed); }
  [[nodiscard]] int64_t max_message_bytes() const { return max_message_bytes_; }

 private:
  // A tenant with bytes that are counted, or a message that waits.
  struct Party {
    int64_t taken = 0;
    std::list<absl::AnyInvocable<void()>> waiting;
  };
  using Parties = absl::flat_hash_map<std::string, std::unique_ptr<Party>>;

  [[nodiscard]] bool IsWithinShare(const Party& party) const;
  [[nodiscard]] bool TakeFor(Party& party) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GiveBack(std::string_view tenant, int64_t counted_bytes, int64_t bytes);
  void Forget(std::string_view tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The next that may go on; null when there is none.
  [[nodiscard]] absl::AnyInvocable<void()> NextToGoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int64_t max_message_bytes_;
  const int64_t bytes_;
  std::atomic<int64_t> left_;
  std::atomic<int> waiting_ = 0;
  absl::Mutex mu_;
  Parties parties_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> turns_ ABSL_GUARDED_BY(mu_);  // Tenants with messages that wait; whose turn is next, first.
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_MESSAGE_BUDGET_H_
