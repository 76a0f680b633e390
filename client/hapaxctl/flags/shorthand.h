#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_SHORTHAND_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_SHORTHAND_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {

// Reads the AWS CLI's shorthand, `Key=value,Key=a,b,Key=[a,b],Key={Key=value},Key='quoted, with commas'`, as an object
// whose values are texts, lists and objects. What it takes, it takes as the AWS CLI does:
// - Blanks around keys, values and commas are dropped, except in quotes. A comma within a value is written `\,`.
// - In quotes, ' or ", a backslash stands for itself, unless it is before that quote or before a backslash.
// It is stricter in two points, in which the AWS CLI loses what was given: a key that is twice within braces, and
// `\,` in a value that turns out to be a key. It is milder in two: `{Key=}` has an empty value, and characters beyond
// U+FFFF need no quotes.
// Errors: INVALID_ARGUMENT, saying where it stopped and what was expected, or which key is given twice.
[[nodiscard]] absl::StatusOr<JsonValue> ParseShorthand(std::string_view text);

// The words of a parameter that takes a list of objects: each is shorthand, or a JSON object. Or one word is a JSON
// list of all. Errors: as ParseShorthand, ParseJson.
[[nodiscard]] absl::StatusOr<std::vector<JsonValue>> ParseStructures(const std::vector<std::string>& words);

// The words of a parameter that takes a list of texts: each as it stands. Or one word is a JSON list of all.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ParseTexts(const std::vector<std::string>& words);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_SHORTHAND_H_
