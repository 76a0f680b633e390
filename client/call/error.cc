#include "hapax/client/call/error.h"

#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/proto/public_name.h"

namespace hapax::client {
namespace {

// Returns the detail of this type, or an empty one.
template <typename Detail>
Detail DetailOf(const absl::Status& status) {
  Detail detail;
  const auto payload = status.GetPayload(TypeUrlOf(*Detail::descriptor()));
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return Detail();
  return detail;
}

}  // namespace

std::string ReasonOf(const absl::Status& status) {
  const auto info = DetailOf<external::rpc::ErrorInfo>(status);
  return info.domain() == "hapax" ? info.reason() : "";
}

std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const auto bad_request = DetailOf<external::rpc::BadRequest>(status);
  for (const auto& violation : bad_request.field_violations()) {
    violations.push_back({.field = violation.field(), .description = violation.description()});
  }
  return violations;
}

}  // namespace hapax::client
