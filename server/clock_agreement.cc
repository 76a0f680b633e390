#include "hapax/server/clock_agreement.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/monitor.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/clock_skew.h"

namespace hapax {

absl::Status AgreeOnTime(WorkQueue& work, absl::Duration max_skew, absl::Duration interval) {
  StopSignal never;
  while (true) {
    HAPAX_RETURN_IF_ERROR(work.LookForOthers().status());
    size_t running = 0;
    size_t pending = 0;
    std::vector<std::string> beyond;
    for (const OtherClock& clock : work.OtherClocks()) {
      const ClockFinding finding = FindingAtStart(clock, max_skew);
      if (finding != ClockFinding::kSilent) ++running;
      if (finding == ClockFinding::kPending) ++pending;
      if (finding == ClockFinding::kBeyond) beyond.push_back(DescribeSkew(clock));
    }
    if (2 * beyond.size() > running) {
      return OptionError(
          "max_clock_skew", absl::FormatDuration(max_skew),
          absl::FailedPreconditionError(absl::StrCat(absl::StrJoin(beyond, ", "),
                                                     "; set the clocks of all servers by NTP, and start this one again "
                                                     "(docs/several-servers.md)")));
    }
    if (2 * (beyond.size() + pending) <= running) return absl::OkStatus();
    never.AwaitFor(interval);
  }
}

}  // namespace hapax
