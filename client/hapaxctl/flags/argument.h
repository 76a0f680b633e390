#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_ARGUMENT_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_ARGUMENT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hapax::ctl {

// The value of a parameter, passed through CLI11, which only has strings. In a word of the command line, `file://PATH`
// stands for the file's content. A value from --cli-input-json is marked, and taken literally.

// Marks a text from --cli-input-json: neither a file name nor shorthand.
[[nodiscard]] std::string MarkText(std::string_view text);
// Marks a list or an object from --cli-input-json, as JSON.
[[nodiscard]] std::string MarkJson(std::string_view json);

// The value of a text parameter: the word itself, or the file's content without a final newline.
// Errors: INVALID_ARGUMENT, it is marked as JSON, the file cannot be read, or the value is not UTF-8.
[[nodiscard]] absl::StatusOr<std::string> ReadText(std::string_view word);

// The value of a list or structure parameter, in the same way.
// Errors: INVALID_ARGUMENT, it is marked as text; those of ReadText.
[[nodiscard]] absl::StatusOr<std::string> ReadStructured(std::string_view word);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_ARGUMENT_H_
