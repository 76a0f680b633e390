#include "hapax/interceptors/rpc_status.h"

#include <map>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"

namespace hapax {

external::rpc::Status ToRpcStatus(const absl::Status& status) {
  std::map<std::string, std::string> payloads;
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    if (absl::StartsWith(type_url, "hapax/")) return;  // For the server's own use (CauseOf).
    payloads[std::string(type_url)] = std::string(payload);
  });
  external::rpc::Status message;
  message.set_code(static_cast<int>(status.code()));
  message.set_message(std::string(status.message()));
  for (const auto& [type_url, payload] : payloads) {
    google::protobuf::Any* detail = message.add_details();
    detail->set_type_url(type_url);
    detail->set_value(payload);
  }
  return message;
}

}  // namespace hapax
