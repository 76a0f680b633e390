#ifndef HAPAX_SERVER_OPERATIONS_CLOCK_SKEW_H_
#define HAPAX_SERVER_OPERATIONS_CLOCK_SKEW_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

// By how much the wall clocks of servers that share a store differ. Only what is sure counts. A difference that a slow
// message may have caused is not sure.
namespace hapax {

// What is known of the wall clock of another server, by its lease (work_leases.h).
struct OtherClock {
  std::string server_id;
  // It is ahead of this server's by at least this much; negative: behind by at most this much.
  absl::Duration ahead;
  // It is behind this server's by at least this much; negative: ahead by at most this much. Nullopt until that server
  // tells that it has seen the clock of this one.
  std::optional<absl::Duration> behind;
  // Whether the lease was renewed since the first look at it, the time since that look, and the time since the lease
  // last changed.
  bool renewed = false;
  absl::Duration watched_for;
  absl::Duration silent_for;
  // The length of the lease, which is renewed every third of it.
  absl::Duration lease;
};

// By at least how much the other clock is ahead; negative: behind; zero: they may agree.
[[nodiscard]] absl::Duration SureSkew(const OtherClock& clock);

// Describes it, such as "the clock of server-1 is at least 1h behind this server's".
[[nodiscard]] std::string DescribeSkew(const OtherClock& clock);

// What a server that starts makes of another clock.
enum class ClockFinding {
  kWithin,   // Nothing tells that the clocks differ by more than the maximum.
  kBeyond,   // They do, and the other server runs.
  kPending,  // They seem to. A renewal of the other server's lease will tell.
  kSilent,   // They seem to, but the other server does not renew its lease. It may have died long ago.
};
[[nodiscard]] ClockFinding FindingAtStart(const OtherClock& clock, absl::Duration max_skew);

// Reports the skew while a server runs: a log line whenever other servers come to differ, and the metric
// `hapax_clock_skew_seconds`. Thread-safety: for one thread at a time. Lifetime: the constructor's arguments outlive
// it.
class ClockSkewWatch {
 public:
  ClockSkewWatch(absl::Duration max_skew, spdlog::logger& logger, prometheus::Registry& registry);

  // `clocks`: those of all other servers, as of the last look.
  void Report(const std::vector<OtherClock>& clocks);

 private:
  const absl::Duration max_skew_;
  spdlog::logger& logger_;
  prometheus::Gauge& gauge_;
  std::set<std::string> beyond_;  // The servers that differed at the last report.
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_CLOCK_SKEW_H_
