#ifndef HAPAX_BASE_MESSAGE_CHECK_H_
#define HAPAX_BASE_MESSAGE_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace hapax {

// Whether a message can be parsed again once it is serialized. protobuf ends the process for one that lacks a required
// field, and serializes a string that is not UTF-8, which no parser takes.
//
// Requires: messages of generated types.
// Errors: INTERNAL, `<message>: <path of the field>: <what is allowed>`.

// Whether all required fields are set.
[[nodiscard]] absl::Status CheckComplete(const google::protobuf::Message& message);
// Whether all strings are UTF-8 in what `message` was serialized to: one pass over the bytes. The value of a
// google.protobuf.Any is not looked at.
[[nodiscard]] absl::Status CheckText(const google::protobuf::Message& message, std::string_view serialized);
// Both.
[[nodiscard]] absl::StatusOr<std::string> Serialize(const google::protobuf::Message& message);

}  // namespace hapax

#endif  // HAPAX_BASE_MESSAGE_CHECK_H_
