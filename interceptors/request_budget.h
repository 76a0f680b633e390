#ifndef HAPAX_INTERCEPTORS_REQUEST_BUDGET_H_
#define HAPAX_INTERCEPTORS_REQUEST_BUDGET_H_

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

// Bounds the bytes of requests: of those that are being read, and of large ones until their calls end.
//
//   if (budget.TryReserve()) Read();                           // Else Reserve(tenant, Read), and Uncount(tenant) then.
//   ...
//   const bool is_large = budget.Settle(tenant, bytes.size());  // It has come.
//   ...
//   if (is_large) budget.Return(tenant, bytes.size());          // The call ends.
//
// How long a request is, is known when it has come. So each takes the longest request's bytes while it is read. What
// finds no room waits. Once half of the bytes are taken, those that come are counted by tenant: one takes a quarter
// more at the most, and those that wait go on in turns of their tenants. So a quarter is left to others.
//
// Thread-safety: safe. `go_on` runs within any of these, without a lock.
class RequestBudget {
 public:
  struct Options {
    int64_t bytes = int64_t{256} << 20;
    int64_t max_request_bytes = int64_t{4} << 20;
  };
  // A request up to this length is not counted once it has come: calls in flight bound the number of such.
  static constexpr int64_t kSmallBytes = int64_t{16} << 10;

  // There is room for two requests of the greatest length, whatever `bytes` says.
  explicit RequestBudget(const Options& options);

  // Takes bytes for a request that is about to be read, not counted as a tenant's; false when half of all are taken.
  [[nodiscard]] bool TryReserve();
  // Takes bytes for a tenant's request, now or later, and goes on.
  void Reserve(std::string_view tenant, absl::AnyInvocable<void()> go_on);
  // What Reserve took is the tenant's no longer, but still taken.
  void Uncount(std::string_view tenant);
  // A request has come, or will not come: gives back what it does not take. True: Return is still to be called, and
  // until then it is the tenant's.
  [[nodiscard]] bool Settle(std::string_view tenant, size_t request_bytes);
  // A request's bytes are freed.
  void Return(std::string_view tenant, size_t request_bytes);

  // Bytes that are taken, as of a moment ago.
  [[nodiscard]] int64_t taken() const { return bytes_ - left_.load(std::memory_order_relaxed); }

 private:
  // A tenant with bytes that are counted, or a request that waits.
  struct Party {
    int64_t taken = 0;
    std::list<absl::AnyInvocable<void()>> waiting;
  };
  using Parties = absl::flat_hash_map<std::string, std::unique_ptr<Party>>;

  [[nodiscard]] bool TakeFor(Party& party) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GiveBack(std::string_view tenant, int64_t counted_bytes, int64_t bytes);
  void Forget(std::string_view tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The next that may go on; null when there is none.
  [[nodiscard]] absl::AnyInvocable<void()> NextToGoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int64_t max_request_bytes_;
  const int64_t bytes_;
  std::atomic<int64_t> left_;
  std::atomic<int> waiting_ = 0;
  absl::Mutex mu_;
  Parties parties_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> turns_ ABSL_GUARDED_BY(mu_);  // Tenants with requests that wait; whose turn is next, first.
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REQUEST_BUDGET_H_
