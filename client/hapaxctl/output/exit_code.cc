#include "hapax/client/hapaxctl/output/exit_code.h"

#include <algorithm>

namespace hapax::ctl {

ExitCode Worst(ExitCode one, ExitCode other) { return std::max(one, other); }

namespace {

// Codes that another server or a proxy would return again.
bool WillBeTheSame(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status, const client::CallInfo& info, bool changes) {
  if (status.ok()) return ExitCode::kDone;
  if (info.attempts == 0) return absl::IsDeadlineExceeded(status) ? ExitCode::kNotNow : ExitCode::kUsage;
  // The call was executed without its token: the same line would execute it again.
  if (info.unprotected_reply.has_value()) return ExitCode::kTokenUsedUp;
  if (info.verdict == client::Verdict::kNewToken) return ExitCode::kTokenUsedUp;
  // An answer settles only its own attempt; an earlier one without an answer may have had the effect.
  const bool refused = info.verdict == client::Verdict::kNever ||
                       (info.verdict == client::Verdict::kUnsaid && WillBeTheSame(status.code()));
  if (refused && (info.settled || info.attempts == 1 || !changes)) return ExitCode::kRefused;
  return info.settled || !changes ? ExitCode::kNotNow : ExitCode::kOpen;
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
