#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_INPUT_JSON_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_INPUT_JSON_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace hapax::ctl {

struct CommandLine;

// Adds the members of --cli-input-json to the words for CLI11, unless their flag was typed: `ImageId` becomes
// --image-id, and `MinCount` and `MaxCount` become --count. `input` is the JSON, or `file://PATH`.
// Errors: INVALID_ARGUMENT: it is not a JSON object, or a member is not a flag of the verb or has the wrong type.
[[nodiscard]] absl::Status AddInput(const std::string& input, CLI::App& verb, CommandLine& line);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_INPUT_JSON_H_
