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

// Bounds the bytes of messages in memory. One budget counts requests while they are read, and large ones until their
// calls end. Another counts replies while they are made, and large ones until they are sent.
//
//   if (budget.TryReserve()) Read();                           // Else Reserve(tenant, Read), then Uncount(tenant).
//   ...
//   const bool is_large = budget.Settle(tenant, bytes.size());  // The request has arrived.
//   ...
//   if (is_large) budget.Return(tenant, bytes.size());          // The call ends.
//
// The length of a message is not known before it arrives. Until then it takes the bytes of the longest message allowed.
// A message that finds no room waits.
//
// Once half of the bytes are taken, further messages are counted by tenant. Each tenant may take another quarter, and
// waiting messages go on in turns of their tenants. So a quarter is left for others.
//
// Thread-safety: safe. `go_on` runs within any of these methods, without a lock.
class MessageBudget {
 public:
  struct Options {
    int64_t bytes = int64_t{256} << 20;
    int64_t max_message_bytes = int64_t{4} << 20;
  };
  // A message up to this size stops counting once it has arrived: the limit on calls in flight bounds the number of
  // such messages.
  static constexpr int64_t kSmallBytes = int64_t{16} << 10;

  // There is always room for two messages of the maximum size, whatever `bytes` says.
  explicit MessageBudget(const Options& options);

  // Takes bytes for a message that is about to be read, without counting them for a tenant. Returns false when half of
  // all bytes are taken.
  [[nodiscard]] bool TryReserve();
  // Takes bytes for a tenant's message and calls `go_on`, now or later.
  void Reserve(std::string_view tenant, absl::AnyInvocable<void()> go_on);
  // Stops counting the bytes that Reserve took for the tenant. They stay taken.
  void Uncount(std::string_view tenant);
  // Gives back the bytes that a request does not need, once it has arrived or cannot arrive. True: the request is
  // large, and counts for the tenant until Return is called.
  [[nodiscard]] bool Settle(std::string_view tenant, size_t message_bytes);
  // Takes bytes for a tenant's message in memory, even when there is no room.
  void Take(std::string_view tenant, size_t message_bytes);
  // Returns the bytes of a message, or those that Reserve took.
  void Return(std::string_view tenant, size_t message_bytes);

  // Whether less than half of the bytes is taken, or less than a quarter by the tenant.
  [[nodiscard]] bool HasRoom(std::string_view tenant);
  // Whether any bytes are counted for the tenant.
  [[nodiscard]] bool IsTaking(std::string_view tenant);
  // The bytes taken, as of a moment ago.
  [[nodiscard]] int64_t taken() const { return bytes_ - left_.load(std::memory_order_relaxed); }
  [[nodiscard]] int64_t max_message_bytes() const { return max_message_bytes_; }

 private:
  // A tenant that has counted bytes or a waiting message.
  struct Party {
    int64_t taken = 0;
    std::list<absl::AnyInvocable<void()>> waiting;
  };
  using Parties = absl::flat_hash_map<std::string, std::unique_ptr<Party>>;

  [[nodiscard]] bool IsWithinShare(const Party& party) const;
  [[nodiscard]] bool TakeFor(Party& party) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GiveBack(std::string_view tenant, int64_t counted_bytes, int64_t bytes);
  void Forget(std::string_view tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The next waiter that may go on; null when there is none.
  [[nodiscard]] absl::AnyInvocable<void()> NextToGoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int64_t max_message_bytes_;
  const int64_t bytes_;
  std::atomic<int64_t> left_;
  std::atomic<int> waiting_ = 0;
  absl::Mutex mu_;
  Parties parties_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> turns_ ABSL_GUARDED_BY(mu_);  // Tenants with waiting messages, the next one first.
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_MESSAGE_BUDGET_H_
