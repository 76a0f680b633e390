#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_EXIT_CODE_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_EXIT_CODE_H_

#include <string>

#include "absl/status/status.h"
#include "hapax/client/call/caller.h"

namespace hapax::ctl {

// What a script can go by. The higher, the more there is to do: of several calls, the highest is the command's.
enum class ExitCode : int {
  // Done, or done before.
  kDone = 0,
  // The command line is wrong, or something failed here before anything was sent.
  kUsage = 1,
  // Refused for good (`hapax-retry: never`): correct the request. The token stays free.
  kRefused = 2,
  // The token is used up (`hapax-retry: new-token`): take a new one, if another effect is meant.
  kTokenUsedUp = 3,
  // Refused for now, with no effect (`same-token`), or not finished in time, or a list that nobody answered: try again.
  kNotNow = 4,
  // Nobody knows whether it was done, or its reply was not written: run it again with the same token.
  kOpen = 5,
};

[[nodiscard]] ExitCode Worst(ExitCode one, ExitCode other);

// The code for a call that ended so. `changes`: the method changes something; of one that does not, nothing is ever
// open.
[[nodiscard]] ExitCode ExitCodeOf(const absl::Status& status, const client::CallInfo& info, bool changes);

// The table, a line a code, for --help.
[[nodiscard]] std::string ExitCodeHelp();

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_EXIT_CODE_H_
