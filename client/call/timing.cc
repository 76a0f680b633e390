#include "hapax/client/call/timing.h"

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "hapax/client/call/client_token.h"
#include "hapax/client/call/timer_queue.h"

namespace hapax::client {
namespace {

class MachineTiming final : public Timing {
 public:
  absl::Time Now() override { return absl::Now(); }
  bool Await(absl::Mutex& mu, const absl::Condition& condition, absl::Time until) override {
    return mu.AwaitWithDeadline(condition, until);
  }
  TimerId At(absl::Time when, absl::AnyInvocable<void() &&> task) override {
    return ProcessTimers().At(when, std::move(task));
  }
  void Drop(const TimerId& timer) override { ProcessTimers().Drop(timer); }
  absl::Duration RandomUpTo(absl::Duration limit) override {
    // It is only for jitter, so a forked child may draw the same numbers.
    thread_local absl::BitGen random;
    return absl::Uniform<double>(absl::IntervalClosed, random, 0, 1) * limit;
  }
  std::string NewToken() override { return NewClientToken(Now()); }
};

}  // namespace

Timing& SystemTiming() {
  // Never destroyed: threads may use it while the process exits.
  static auto& timing = *new MachineTiming;
  return timing;
}

}  // namespace hapax::client
