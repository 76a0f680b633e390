#ifndef HAPAX_TESTS_SERVER_SUPPORT_REFUSAL_MATCHERS_H_
#define HAPAX_TESTS_SERVER_SUPPORT_REFUSAL_MATCHERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {

// An absl::Status or StatusOr that refuses for `reason` with that reason's code, names exactly `field` as
// wrong, and begins its message with it.
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

#endif  // HAPAX_TESTS_SERVER_SUPPORT_REFUSAL_MATCHERS_H_
