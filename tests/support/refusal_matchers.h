#ifndef HAPAX_TESTS_SUPPORT_REFUSAL_MATCHERS_H_
#define HAPAX_TESTS_SUPPORT_REFUSAL_MATCHERS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/tests/support/status_matchers.h"

// What a client reads in an error.
namespace hapax {

// The google.rpc detail of that type; nullopt when the status has none.
template <typename Detail>
[[nodiscard]] std::optional<Detail> DetailOf(const absl::Status& status) {
  const auto payload = status.GetPayload(TypeUrlOf(*Detail::descriptor()));
  if (!payload.has_value()) return std::nullopt;
  Detail detail;
  EXPECT_TRUE(detail.ParseFromString(std::string(*payload)));
  return detail;
}

// The fields named by the status's google.rpc.BadRequest, in its order.
[[nodiscard]] inline std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  const auto bad_request = DetailOf<external::rpc::BadRequest>(status);
  if (!bad_request.has_value()) return fields;
  for (const auto& violation : bad_request->field_violations()) fields.push_back(violation.field());
  return fields;
}

// All text of the status that a client sees: its message, and its details with their texts.
[[nodiscard]] inline std::string EverythingIn(const absl::Status& status) {
  std::string everything(status.message());
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    if (!absl::StartsWith(type, "hapax/")) everything += std::string(payload);
  });
  return everything;
}

// Matches an absl::Status or StatusOr with this reason and the reason's code.
MATCHER_P(HasReason, reason, (negation ? "has not reason " : "has reason ") + std::string(InfoOf(reason).name)) {
  const absl::Status& status = status_matchers_internal::StatusOf(arg);
  *result_listener << "which is " << status;
  return ReasonOf(status) == reason && status.code() == InfoOf(reason).code;
}

// Matches an absl::Status or StatusOr with `reason` and that reason's code. It names `field` alone as wrong, and its
// message begins with the field.
//
//   EXPECT_THAT(CheckCounts(2, 1), Refuses(Reason::kInvalidParameter, "min_count", HasSubstr("max_count")));
MATCHER_P3(Refuses, reason, field, message,
           (negation ? "does not refuse for " : "refuses for ") + std::string(InfoOf(reason).name) + " of " + field) {
  const absl::Status& status = status_matchers_internal::StatusOf(arg);
  *result_listener << "which is " << status << ", fields " << testing::PrintToString(FieldsOf(status)) << ' ';
  return ReasonOf(status) == reason && status.code() == InfoOf(reason).code &&
         FieldsOf(status) == std::vector<std::string>{field} && status.message().find(field) == 0 &&
         testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

MATCHER_P2(Refuses, reason, field,
           (negation ? "does not refuse for " : "refuses for ") + std::string(InfoOf(reason).name) + " of " + field) {
  return testing::ExplainMatchResult(Refuses(reason, std::string(field), testing::_), arg, result_listener);
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_REFUSAL_MATCHERS_H_
