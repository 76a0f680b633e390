#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_TEXT_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_TEXT_H_

#include <string>

#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {

// The value in the layout of the AWS CLI's --output text: a line for each object, its values by their names' order with
// tabs between, and a line of its own, which begins with the upper-case name, for what is nested. Nothing is escaped.
[[nodiscard]] std::string ToText(const JsonValue& value);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_TEXT_H_
