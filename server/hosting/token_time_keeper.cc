#include "hapax/server/hosting/token_time_keeper.h"

#include <string>

#include "absl/status/status.h"
#include "prometheus/family.h"

namespace hapax {
namespace {

std::string Text(absl::Time time) { return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()); }

std::string InSeconds(absl::Duration time) {
  return absl::FormatDuration(absl::Trunc(time + absl::Milliseconds(500), absl::Seconds(1)));
}

}  // namespace

TokenTimeKeeper::TokenTimeKeeper(TokenTime& time, Store& store, spdlog::logger& logger, prometheus::Registry& registry,
                                 absl::Duration interval)
    : time_(time),
      store_(store),
      logger_(logger),
      clock_ahead_(prometheus::BuildGauge()
                       .Name("hapax_clock_ahead_seconds")
                       .Help("By how much the wall clock is ahead of the time by which tokens expire.")
                       .Register(registry)
                       .Add({})) {
  Compare();
  thread_ = std::thread([this, interval] { Run(interval); });
}

TokenTimeKeeper::~TokenTimeKeeper() {
  stop_.Give();
  thread_.join();
  Save();
}

void TokenTimeKeeper::Run(absl::Duration interval) {
  while (!stop_.AwaitFor(interval)) {
    Save();
    Compare();
  }
}

// If this fails, tokens only live longer.
void TokenTimeKeeper::Save() {
  const absl::Status status = time_.Save(store_);
  if (!status.ok() && !save_failed_)
    logger_.warn("the time that tokens expire by is not written: {}", status.ToString());
  save_failed_ = !status.ok();
}

void TokenTimeKeeper::Compare() {
  const absl::Duration ahead = time_.ClockAhead();
  clock_ahead_.Set(absl::ToDoubleSeconds(ahead));
  const Clock clock = ahead > kTolerance ? Clock::kAhead : ahead < -kTolerance ? Clock::kBehind : Clock::kRight;
  if (clock == told_) return;
  told_ = clock;
  switch (clock) {
    case Clock::kRight:
      logger_.info("the clock agrees with the time that tokens expire by");
      return;
    case Clock::kAhead:
      logger_.warn(
          "the clock is ahead by {} of the time that is known to have passed: tokens expire by {}, and are kept for "
          "longer; if the clock is right, a start with --time_passed={} has them expire by it",
          InSeconds(ahead), Text(time_.Now()), Text(time_.Latest()));
      return;
    case Clock::kBehind:
      logger_.warn("the clock is behind by {} of the time that tokens expire by: until it comes to {} none expires",
                   InSeconds(-ahead), Text(time_.Now()));
      return;
  }
}

}  // namespace hapax
