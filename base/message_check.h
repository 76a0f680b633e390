#ifndef HAPAX_BASE_MESSAGE_CHECK_H_
#define HAPAX_BASE_MESSAGE_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace hapax {

// Checks whether a message can be serialized and parsed again. protobuf ends the process if a required field is
// missing. It serializes a string that is not UTF-8, but no parser accepts that.
//
// Requires: messages of generated types.
// Errors: INTERNAL, `<message>: <path of the field>: <what is allowed>`.

// Whether all required fields are set.
[[nodiscard]] absl::Status CheckComplete(const google::protobuf::Message& message);
// Whether all strings in the serialized `message` are UTF-8, in one pass over the bytes. The value of a
// google.protobuf.Any is not checked.
[[nodiscard]] absl::Status CheckText(const google::protobuf::Message& message, std::string_view serialized);
// Serializes the message with both checks.
[[nodiscard]] absl::StatusOr<std::string> Serialize(const google::protobuf::Message& message);

}  // namespace hapax

#endif  // HAPAX_BASE_MESSAGE_CHECK_H_
