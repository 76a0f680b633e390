#ifndef HAPAX_CLIENT_HAPAXCTL_SHORTHAND_H_
#define HAPAX_CLIENT_HAPAXCTL_SHORTHAND_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hapax::ctl {

// A value of the AWS CLI's shorthand syntax.
struct ShorthandValue {
  enum class Kind {
    kText,       // `a`, or `'a, b'`: in `text`.
    kList,       // `[a,b]`, or `a,b` after `Key=`: in `parts`.
    kStructure,  // `{Key=a,Value=b}`: in `parts`, each with its key.
  };
  std::string key;  // Of a structure's part; else empty.
  Kind kind = Kind::kText;
  std::string text;
  std::vector<ShorthandValue> parts;

  // A text, or a list of texts, as texts; empty for anything else.
  [[nodiscard]] std::vector<std::string> Texts() const;
};

// Reads `Key=value,Key=a,b,Key=[a,b],Key={Key=value},Key='quoted, with commas'`: a structure without its braces.
// Quotes are ' or ", and a backslash in them takes the next character as it is.
// Errors: INVALID_ARGUMENT, saying where it stopped and what was expected.
[[nodiscard]] absl::StatusOr<ShorthandValue> ParseShorthand(std::string_view text);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_SHORTHAND_H_
