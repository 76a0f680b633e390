#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_COMMAND_LINE_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"

namespace hapax::ctl {

constexpr char kInputFlag[] = "--cli-input-json";

// A parsed command line.
struct CommandLine {
  // The words as typed, beginning with the program's name, with abbreviated flags completed.
  std::vector<std::string> typed;
  // The words for CLI11, in order: a flag before each value, and the members of --cli-input-json (argument.h).
  std::vector<std::string> parsed;
};

// Parses what CLI11 cannot: unique abbreviations of flags, `--flag=` without a value, a list of values with one in
// brackets, and --cli-input-json. A member of that counts unless the command line has its flag.
// Errors: INVALID_ARGUMENT, naming the flag: it is unknown, ambiguous, or lacks its value, or --cli-input-json is not
// the JSON of the verb's flags.
[[nodiscard]] absl::StatusOr<CommandLine> ReadCommandLine(CLI::App& app, const std::vector<std::string>& words);

// Whether the flag, or a word that looks like it, was typed.
[[nodiscard]] bool IsGiven(const CommandLine& line, const std::string& flag);

// For --help: the flags of the AWS CLI that hapaxctl lacks.
[[nodiscard]] std::string MissingFlagsHelp();

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_COMMAND_LINE_H_
