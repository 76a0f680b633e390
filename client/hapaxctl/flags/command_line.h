#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_COMMAND_LINE_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"

namespace hapax::ctl {

constexpr char kInputFlag[] = "--cli-input-json";

// A command line as it is understood.
struct CommandLine {
  // As it was typed, the program's name first, each flag with its whole name.
  std::vector<std::string> typed;
  // For CLI11, in order: each value behind a flag of its own, and what --cli-input-json adds (argument.h).
  std::vector<std::string> parsed;
};

// Understands what CLI11 does not: flags that are cut short, as long as one flag alone begins so; `--flag=` with
// nothing behind; a list of values of which one is in brackets; and --cli-input-json, whose members count unless the
// command line has their flags. Errors: INVALID_ARGUMENT, naming the flag: one that is not there, that could be
// several, or lacks its value; and for
// --cli-input-json what is not the JSON of the verb's flags.
[[nodiscard]] absl::StatusOr<CommandLine> ReadCommandLine(CLI::App& app, const std::vector<std::string>& words);

// Whether a flag was typed, or what looks like it.
[[nodiscard]] bool IsGiven(const CommandLine& line, const std::string& flag);

// Which flags of the AWS CLI are not there, for --help.
[[nodiscard]] std::string MissingFlagsHelp();

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_COMMAND_LINE_H_
