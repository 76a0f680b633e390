#ifndef HAPAX_BENCH_PACING_H_
#define HAPAX_BENCH_PACING_H_

#include <chrono>
#include <cstdint>

namespace hapax::bench {

using Instant = std::chrono::steady_clock::time_point;

// Calls count when they fall into it: those that end in it are its throughput, those that were to start in it are its
// latencies, however late they end.
struct Window {
  Instant from;
  Instant to;

  [[nodiscard]] bool Has(Instant instant) const { return from <= instant && instant < to; }
};

// When the calls of an open loop are to start: at a fixed rate, whatever becomes of the calls before. A call's latency
// counts from this moment, not from when it was sent: one that had to wait for a server that stalled has waited.
class Schedule {
 public:
  // The first call is due at `start`. The rate, in calls a second, is above 0.
  Schedule(Instant start, double rate) : start_(start), rate_(rate) {}

  // When the call of this number, from 0, is due.
  [[nodiscard]] Instant Due(uint64_t call) const;

 private:
  const Instant start_;
  const double rate_;
};

// Sleeps until then, to the precision of the kernel's timers; returns at once when it has passed.
void SleepUntil(Instant instant);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PACING_H_
