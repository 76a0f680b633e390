#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_ARGUMENT_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_ARGUMENT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hapax::ctl {

// The value of a parameter on its way through CLI11, which knows strings alone. A word of the command line may be
// `file://PATH` for what the file holds. A value of --cli-input-json is marked, so that it is taken as it stands.

// A text of --cli-input-json, which is no file's name and no shorthand.
[[nodiscard]] std::string MarkText(std::string_view text);
// A list or an object of --cli-input-json, as JSON.
[[nodiscard]] std::string MarkJson(std::string_view json);

// The value for a parameter that takes one text: the word, or what its file holds without the newline at its end.
// Errors: INVALID_ARGUMENT for JSON that is marked so, a file that cannot be read, and what is not UTF-8.
[[nodiscard]] absl::StatusOr<std::string> ReadText(std::string_view word);

// The value for a parameter that takes a list or a structure, likewise.
// Errors: INVALID_ARGUMENT for a text that is marked so, and as above.
[[nodiscard]] absl::StatusOr<std::string> ReadStructured(std::string_view word);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_ARGUMENT_H_
