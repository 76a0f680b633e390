#ifndef HAPAX_PROTO_PUBLIC_JSON_H_
#define HAPAX_PROTO_PUBLIC_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace hapax {

enum class JsonForm { kOneLine, kIndented };

// The message as protobuf JSON, without a final newline. Every field is included, even an empty one, except messages
// that are not set. Types in a google.protobuf.Any have their public names (public_name.h). Equal messages give equal
// texts.
// Errors: INTERNAL, a google.protobuf.Any has a type that is not linked in.
[[nodiscard]] absl::StatusOr<std::string> ToPublicJson(const google::protobuf::Message& message, JsonForm form);

}  // namespace hapax

#endif  // HAPAX_PROTO_PUBLIC_JSON_H_
