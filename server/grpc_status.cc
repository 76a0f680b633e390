#include "hapax/server/grpc_status.h"

#include <map>
#include <string>

#include "absl/strings/cord.h"
#include "google/rpc/status.pb.h"

namespace hapax {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // gRPC's codes and Abseil's are the same numbers.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message());

  std::map<std::string, std::string> payloads;
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    payloads[std::string(type_url)] = std::string(payload);
  });
  if (payloads.empty()) return {code, message};
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  for (const auto& [type_url, payload] : payloads) {
    google::protobuf::Any* detail = details.add_details();
    detail->set_type_url(type_url);
    detail->set_value(payload);
  }
  return {code, message, details.SerializeAsString()};
}

}  // namespace hapax
