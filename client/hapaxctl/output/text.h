#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_TEXT_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_TEXT_H_

#include <string>

#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {

// The value in the layout of the AWS CLI's --output text. Each object is a line with its values ordered by name,
// separated by tabs. Each nested value has a line of its own, beginning with the upper-case name. Nothing is escaped.
[[nodiscard]] std::string ToText(const JsonValue& value);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_TEXT_H_
