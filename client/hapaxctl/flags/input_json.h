#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_INPUT_JSON_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_INPUT_JSON_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace hapax::ctl {

struct CommandLine;

// Adds the members of --cli-input-json to what CLI11 is to parse: each as the flag of its name, `ImageId` as
// --image-id, unless that flag was typed. `MinCount` and `MaxCount` are --count. `input` is the JSON, or `file://PATH`.
// Errors: INVALID_ARGUMENT: no JSON object, or a member that is no flag of the verb, or not of its type.
[[nodiscard]] absl::Status AddInput(const std::string& input, CLI::App& verb, CommandLine& line);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_INPUT_JSON_H_
