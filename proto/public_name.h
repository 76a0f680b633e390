#ifndef HAPAX_PROTO_PUBLIC_NAME_H_
#define HAPAX_PROTO_PUBLIC_NAME_H_

#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hapax {

// protobuf ends a process in which two libraries register one name, and google.rpc is in many libraries. So the code
// for google.rpc, google.longrunning, grpc.health and grpc.reflection is generated in packages of Hapax's own,
// `hapax.external...` (cmake/HapaxProtos.cmake). Protos, wire and messages to users have the public names: whatever
// leaves the process goes through PublicName, and whatever comes in through OwnName.

// `google.rpc.Status` of `hapax.external.rpc.Status`; any other name as it is.
[[nodiscard]] std::string PublicName(std::string_view own);
// `hapax.external.rpc.Status` of `google.rpc.Status`; any other name as it is.
[[nodiscard]] std::string OwnName(std::string_view public_name);
// The same for paths: `google/rpc/status.proto` and `hapax/external/rpc/status.proto`.
[[nodiscard]] std::string PublicPath(std::string_view own);
[[nodiscard]] std::string OwnPath(std::string_view public_path);

// The message type of this public name: the application's own where it is in the pool, else Hapax's. Null if there is
// none.
[[nodiscard]] const google::protobuf::Descriptor* FindMessageType(const google::protobuf::DescriptorPool& pool,
                                                                  absl::string_view public_name);

// `type.googleapis.com/` and the public name.
[[nodiscard]] std::string TypeUrlOf(const google::protobuf::Descriptor& type);

// Any::PackFrom, Is and UnpackTo, by the public name.
void Pack(const google::protobuf::Message& message, google::protobuf::Any& any);
[[nodiscard]] bool Holds(const google::protobuf::Any& any, const google::protobuf::Descriptor& type);
[[nodiscard]] bool Unpack(const google::protobuf::Any& any, google::protobuf::Message& message);

}  // namespace hapax

#endif  // HAPAX_PROTO_PUBLIC_NAME_H_
