#include "hapax/base/watchdog.h"

#include <utility>

namespace hapax {
namespace {

// Longer limits would overflow the clock, and count as infinite.
constexpr absl::Duration kLongest = absl::Hours(24 * 365);

}  // namespace

Watchdog::Watchdog(absl::Duration limit, absl::AnyInvocable<void() &&> on_expiry) {
  if (limit > kLongest) return;
  thread_ = std::thread([this, limit, on_expiry = std::move(on_expiry)]() mutable {
    std::unique_lock<std::mutex> lock(mu_);
    if (over_.wait_for(lock, absl::ToChronoNanoseconds(limit), [this] { return is_over_; })) return;
    lock.unlock();
    std::move(on_expiry)();
  });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    is_over_ = true;
  }
  over_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace hapax
