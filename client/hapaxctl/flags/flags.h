#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_FLAGS_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_FLAGS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "hapax/client/hapaxctl/flags/parameters.h"

namespace hapax::ctl {

// Flags of a verb, which fill its request. Each target outlives the app. A rejected value is a CLI11 error that names
// the flag. Each word of a verb's flag may be `file://PATH` (argument.h), and must be UTF-8.

using Texts = google::protobuf::RepeatedPtrField<std::string>;
using Filters = google::protobuf::RepeatedPtrField<compute::v1::Filter>;

// One value; the error of `take` says what is allowed.
CLI::Option* AddValue(CLI::App& app, const std::string& flag, const std::string& type,
                      std::function<absl::Status(const std::string&)> take, const std::string& help);
// One value as shorthand or JSON, in the same way.
CLI::Option* AddStructure(CLI::App& app, const std::string& flag, const std::string& type,
                          std::function<absl::Status(const std::string&)> take, const std::string& help);
// One or more values, taken all at once, or as one word a JSON list of them.
CLI::Option* AddValues(CLI::App& app, const std::string& flag, const std::string& type,
                       std::function<absl::Status(const std::vector<std::string>&)> take, const std::string& help);

// The name of a file or directory, in the system's encoding.
CLI::Option* AddPath(CLI::App& app, const std::string& flag, std::string& target, const std::string& help);
// Text that must not be empty.
CLI::Option* AddText(CLI::App& app, const std::string& flag, std::string& target, const std::string& help);
CLI::Option* AddTexts(CLI::App& app, const std::string& flag, Texts& target, const std::string& help);
CLI::Option* AddNumber(CLI::App& app, const std::string& flag, int32_t min, int32_t max,
                       std::function<void(int32_t)> take, const std::string& help);
CLI::Option* AddDuration(CLI::App& app, const std::string& flag, absl::Duration& target, const std::string& help);

// One of these words, which completion offers (ChoicesOf).
CLI::Option* AddChoice(CLI::App& app, const std::string& flag, const std::vector<std::string>& choices,
                       std::function<void(const std::string&)> take, const std::string& help);
// The words of a choice; empty for any other option.
[[nodiscard]] std::vector<std::string> ChoicesOf(CLI::Option& option);

// Flags that several verbs share.
CLI::Option* AddClientToken(CLI::App& app, std::string& target);
CLI::Option* AddTags(CLI::App& app, const std::string& resource_type, Tags& target);
CLI::Option* AddFilters(CLI::App& app, Filters& target);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_FLAGS_H_
