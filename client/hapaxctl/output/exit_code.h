#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_EXIT_CODE_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_EXIT_CODE_H_

#include <string>

#include "absl/status/status.h"
#include "hapax/client/call/caller.h"

namespace hapax::ctl {

// The exit codes for scripts. A higher code needs more attention: of several calls, the highest counts.
enum class ExitCode : int {
  // The effect was made now, or before.
  kDone = 0,
  // The command line is wrong, or a local error happened before anything was sent.
  kUsage = 1,
  // Refused for good (`hapax-retry: never`): correct the request. The token stays free.
  kRefused = 2,
  // The token is used up (`hapax-retry: new-token`): use a new one if another effect is meant.
  kTokenUsedUp = 3,
  // Refused for now without an effect (`same-token`), not finished in time, or a list without an answer: try again.
  kNotNow = 4,
  // Unknown whether it was done, or its reply could not be written: run it again with the same token.
  kOpen = 5,
};

[[nodiscard]] ExitCode Worst(ExitCode one, ExitCode other);

// The code for the end of a call. `changes`: whether the method changes something; a call of any other is never kOpen.
[[nodiscard]] ExitCode ExitCodeOf(const absl::Status& status, const client::CallInfo& info, bool changes);

// The table of codes for --help, one line each.
[[nodiscard]] std::string ExitCodeHelp();

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_EXIT_CODE_H_
