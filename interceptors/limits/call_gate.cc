#include "hapax/interceptors/limits/call_gate.h"

#include "absl/strings/str_cat.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
absl::Status CallGate::TryEnter() {
  bool closed = false;
  {
    MonitorLock lock(&mu_);
    if (!closed_ && in_flight_ < max_in_flight_) {
      ++in_flight_;
      return absl::OkStatus();
    }
    closed = closed_;
  }
  if (closed) return Refuse(Reason::kTokenStoreUnavailable, "the server is shutting down");
  return Refuse(
      Reason::kOverloaded,
      absl::StrCat("the server has as many calls in flight as it takes: max_calls_in_flight is ", max_in_flight_));
}

void CallGate::Leave() {
  MonitorLock lock(&mu_);
  --in_flight_;
  if (awaited_ && in_flight_ == 0) mu_.WakeAll();
}

void CallGate::Close() {
  MonitorLock lock(&mu_);
  closed_ = true;
}

void CallGate::AwaitIdle(absl::Duration timeout) {
  const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return in_flight_ == 0; };
  MonitorLock lock(&mu_);
  awaited_ = true;
  mu_.AwaitUntil(idle, MonotonicNow() + timeout);
}

}  // namespace hapax
