#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace hapax::ctl {

// The message as protobuf JSON, over several lines, without a newline at its end. Every field is there, also one that
// is empty, so that a script finds what it looks for; the same message gives the same text.
// Errors: those of a google.protobuf.Any with a type that this program does not know.
[[nodiscard]] absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_H_
