#include "hapax/client/hapaxctl/output/json.h"

#include "hapax/proto/public_json.h"

namespace hapax::ctl {

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  return ToPublicJson(message, JsonForm::kIndented);
}

}  // namespace hapax::ctl
