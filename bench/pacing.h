#ifndef HAPAX_BENCH_PACING_H_
#define HAPAX_BENCH_PACING_H_

#include <chrono>
#include <cstdint>

namespace hapax::bench {

using Instant = std::chrono::steady_clock::time_point;

// The measured window. Calls that end in it count for the throughput. Calls that are due in it count for the latencies,
// however late they end.
struct Window {
  Instant from;
  Instant to;

  [[nodiscard]] bool Has(Instant instant) const { return from <= instant && instant < to; }
};

// The due times of calls in an open loop: a fixed rate, independent of earlier calls. A call's latency counts from its
// due time, not from when it was sent, so waiting for a stalled server is included.
class Schedule {
 public:
  // The first call is due at `start`. `rate`, in calls a second, is above 0.
  Schedule(Instant start, double rate) : start_(start), rate_(rate) {}

  // The due time of this call, numbered from 0.
  [[nodiscard]] Instant Due(uint64_t call) const;

 private:
  const Instant start_;
  const double rate_;
};

// Sleeps until then, with the precision of the kernel's timers. Returns at once if it has passed.
void SleepUntil(Instant instant);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PACING_H_
