#ifndef HAPAX_PROTO_SORTED_BYTES_H_
#define HAPAX_PROTO_SORTED_BYTES_H_

#include <string>

#include "google/protobuf/message.h"

namespace hapax {

// The serialized message with map entries in order: equal messages give equal bytes, except for a message within a
// google.protobuf.Any, which stays as it is.
[[nodiscard]] std::string SortedBytes(const google::protobuf::Message& message);

}  // namespace hapax

#endif  // HAPAX_PROTO_SORTED_BYTES_H_
