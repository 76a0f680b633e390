#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace hapax::ctl {

// The message as protobuf JSON, over several lines, without a final newline. Every field is included, even an empty
// one, so that scripts find it. Equal messages give equal texts.
// Errors: those of a google.protobuf.Any with an unknown type.
[[nodiscard]] absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_H_
