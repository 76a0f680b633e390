#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_SHORTHAND_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_SHORTHAND_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {

// Parses the AWS CLI's shorthand, `Key=value,Key=a,b,Key=[a,b],Key={Key=value},Key='quoted, with commas'`, as an object
// of texts, lists and objects. It follows the AWS CLI:
// - Blanks around keys, values and commas are dropped, except in quotes. A comma within a value is written `\,`.
// - In quotes, ' or ", a backslash stands for itself, unless it is before that quote or before a backslash.
// It is stricter where the AWS CLI loses input: it refuses a key that occurs twice within braces, and `\,` in a value
// that turns out to be a key. It is more lenient in two points: `{Key=}` has an empty value, and characters beyond
// U+FFFF need no quotes.
// Errors: INVALID_ARGUMENT, saying where it stopped and what was expected, or which key occurs twice.
[[nodiscard]] absl::StatusOr<JsonValue> ParseShorthand(std::string_view text);

// Parses a list of objects: each word is shorthand or a JSON object, or one word is a JSON list of all.
// Errors: those of ParseShorthand and ParseJson.
[[nodiscard]] absl::StatusOr<std::vector<JsonValue>> ParseStructures(const std::vector<std::string>& words);

// Parses a list of texts: each word is taken literally, or one word is a JSON list of all.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ParseTexts(const std::vector<std::string>& words);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_SHORTHAND_H_
