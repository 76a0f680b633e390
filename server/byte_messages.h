#ifndef HAPAX_SERVER_BYTE_MESSAGES_H_
#define HAPAX_SERVER_BYTE_MESSAGES_H_

#include <optional>

#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace hapax {

[[nodiscard]] inline grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

// Nullopt when there is no buffer, or it does not hold such a message.
template <typename Message>
[[nodiscard]] std::optional<Message> FromByteBuffer(const grpc::ByteBuffer* buffer) {
  grpc::Slice slice;
  Message message;
  if (buffer == nullptr || !buffer->DumpToSingleSlice(&slice).ok()) return std::nullopt;
  if (!message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) return std::nullopt;
  return message;
}

}  // namespace hapax

#endif  // HAPAX_SERVER_BYTE_MESSAGES_H_
