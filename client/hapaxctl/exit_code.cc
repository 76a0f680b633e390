#include "hapax/client/hapaxctl/exit_code.h"

#include <algorithm>

namespace hapax::ctl {

ExitCode Worst(ExitCode one, ExitCode other) { return std::max(one, other); }

ExitCode ExitCodeOf(const absl::Status& status, const client::CallInfo& info, bool changes) {
  if (status.ok()) return ExitCode::kDone;
  if (info.attempts == 0) return absl::IsDeadlineExceeded(status) ? ExitCode::kNotNow : ExitCode::kUsage;
  switch (info.verdict) {
    case client::RetryVerdict::kNever:
      return ExitCode::kRefused;
    case client::RetryVerdict::kNewToken:
      return ExitCode::kTokenUsedUp;
    case client::RetryVerdict::kSameToken:
      return info.settled || !changes ? ExitCode::kNotNow : ExitCode::kOpen;
    case client::RetryVerdict::kUnsaid:
      break;
  }
  // An error from the network, or from gRPC: settled is what will be the same the next time, such as UNIMPLEMENTED.
  if (info.settled) return ExitCode::kRefused;
  return changes ? ExitCode::kOpen : ExitCode::kNotNow;
}

std::string ExitCodeHelp() {
  return "Exit codes:\n"
         "  0  done, or done before\n"
         "  1  the command line is wrong, or it failed here before anything was sent\n"
         "  2  refused for good: correct the request\n"
         "  3  the token is used up: another effect takes a new one\n"
         "  4  refused for now with no effect, or not finished in time: try again, with the same token\n"
         "  5  the outcome is open: run it again with the same token; the line to run is on stderr\n";
}

}  // namespace hapax::ctl
