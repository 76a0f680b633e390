#include "hapax/server/operations/clock_skew.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hapax {
namespace {

// Tells which clocks are probably wrong. Of two clocks, either may be.
const char* ProbableCause(size_t differing, size_t others) {
  if (differing == others && others > 1) return "no other clock agrees with this server's, which is probably wrong";
  if (2 * differing <= others) return "most clocks agree with this server's";
  return "nothing tells which clock is wrong";
}

}  // namespace

absl::Duration SureSkew(const OtherClock& clock) {
  const absl::Duration behind = clock.behind.value_or(absl::ZeroDuration());
  if (clock.ahead > absl::ZeroDuration() && clock.ahead >= behind) return clock.ahead;
  return -std::max(behind, absl::ZeroDuration());
}

std::string DescribeSkew(const OtherClock& clock) {
  const absl::Duration skew = SureSkew(clock);
  const absl::Duration shown = absl::Trunc(absl::AbsDuration(skew), absl::Milliseconds(1));
  return absl::StrCat("the clock of ", clock.server_id, " is at least ", absl::FormatDuration(shown),
                      skew > absl::ZeroDuration() ? " ahead of" : " behind", " this server's");
}

// A lease that was just read may be as old as the time between two renewals. A lease that looks older is of a server
// that died, or whose clock is behind.
ClockFinding FindingAtStart(const OtherClock& clock, absl::Duration max_skew) {
  const bool runs = clock.renewed || clock.behind.has_value();
  if (runs && absl::AbsDuration(SureSkew(clock)) > max_skew) return ClockFinding::kBeyond;
  const bool seems_ahead = clock.ahead > max_skew;
  const bool seems_behind = !clock.behind.has_value() && -clock.ahead > max_skew + clock.lease / 3;
  if (!seems_ahead && !seems_behind) return ClockFinding::kWithin;
  const bool may_tell = clock.silent_for < clock.lease / 2 && clock.watched_for < clock.lease;
  return may_tell ? ClockFinding::kPending : ClockFinding::kSilent;
}

ClockSkewWatch::ClockSkewWatch(absl::Duration max_skew, spdlog::logger& logger, prometheus::Registry& registry)
    : max_skew_(max_skew),
      logger_(logger),
      gauge_(prometheus::BuildGauge()
                 .Name("hapax_clock_skew_seconds")
                 .Help("By at least how much the clock of another server differs from this one's; the largest.")
                 .Register(registry)
                 .Add({})) {}

void ClockSkewWatch::Report(const std::vector<OtherClock>& clocks) {
  absl::Duration largest;
  std::set<std::string> beyond;
  std::vector<std::string> descriptions;
  for (const OtherClock& clock : clocks) {
    const absl::Duration skew = absl::AbsDuration(SureSkew(clock));
    largest = std::max(largest, skew);
    if (skew <= max_skew_) continue;
    beyond.insert(clock.server_id);
    descriptions.push_back(DescribeSkew(clock));
  }
  gauge_.Set(absl::ToDoubleSeconds(largest));
  if (beyond == beyond_) return;
  beyond_ = std::move(beyond);
  const std::string most = absl::FormatDuration(max_skew_);
  if (beyond_.empty()) return logger_.info("no clock of another server differs by more than max_clock_skew={}", most);
  logger_.warn("clocks differ by more than max_clock_skew={}: {}; {}; set them by NTP", most,
               absl::StrJoin(descriptions, ", "), ProbableCause(beyond_.size(), clocks.size()));
}

}  // namespace hapax
