#include "hapax/interceptors/rpc_status.h"

#include <limits>
#include <map>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "hapax/interceptors/refusal_bounds.h"

namespace hapax {
external::rpc::Status ToRpcStatus(const absl::Status& status) {
  std::map<std::string, std::string> payloads;
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    if (absl::StartsWith(type_url, "hapax/")) return;  // For the server alone (CauseOf).
    payloads[std::string(type_url)] = std::string(payload);
  });
  external::rpc::Status message;
  message.set_code(static_cast<int>(status.code()));
  // A client cannot parse a message that has a string not in UTF-8.
  message.set_message(CutText({status.message().data(), status.message().size()}, std::numeric_limits<size_t>::max()));
  for (const auto& [type_url, payload] : payloads) {
    google::protobuf::Any* detail = message.add_details();
    detail->set_type_url(type_url);
    detail->set_value(payload);
  }
  return message;
}

}  // namespace hapax
