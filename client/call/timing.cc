#include "hapax/client/call/timing.h"

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "hapax/client/call/client_token.h"

namespace hapax::client {
namespace {

class MachineTiming final : public Timing {
 public:
  absl::Time Now() override { return absl::Now(); }
  bool Await(absl::Mutex& mu, const absl::Condition& condition, absl::Time until) override {
    return mu.AwaitWithDeadline(condition, until);
  }
  absl::Duration RandomUpTo(absl::Duration limit) override {
    // Only for jitter, so it does not matter that a fork draws the same numbers.
    thread_local absl::BitGen random;
    return absl::Uniform<double>(absl::IntervalClosed, random, 0, 1) * limit;
  }
  std::string NewToken() override { return NewClientToken(Now()); }
};

}  // namespace

Timing& SystemTiming() {
  static MachineTiming timing;
  return timing;
}

}  // namespace hapax::client
