#ifndef HAPAX_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define HAPAX_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

// Matchers for absl::Status and absl::StatusOr alike:
//
//   EXPECT_THAT(Execute(store, body), IsOk());
//   EXPECT_THAT(parser.Uint64(), IsOkAndHolds(7));
//   EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")));
namespace hapax {
namespace status_matchers_internal {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

}  // namespace status_matchers_internal

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  const absl::Status& status = status_matchers_internal::StatusOf(arg);
  *result_listener << "which is " << status;
  return status.ok();
}

// Matches an absl::StatusOr that is OK and whose value matches `expected`, a value or a matcher.
MATCHER_P(IsOkAndHolds, expected, negation ? "is an error or another value" : "is OK and holds the expected value") {
  if (!arg.ok()) {
    *result_listener << "which is " << arg.status();
    return false;
  }
  return testing::ExplainMatchResult(expected, *arg, result_listener);
}

MATCHER_P(StatusIs, code, (negation ? "is not " : "is ") + absl::StatusCodeToString(code)) {
  const absl::Status& status = status_matchers_internal::StatusOf(arg);
  *result_listener << "which is " << status;
  return status.code() == code;
}

// `message` is a string or a matcher of strings.
MATCHER_P2(StatusIs, code, message,
           (negation ? "is not " : "is ") + absl::StatusCodeToString(code) + " with the expected message") {
  const absl::Status& status = status_matchers_internal::StatusOf(arg);
  *result_listener << "which is " << status << ' ';
  return status.code() == code && testing::ExplainMatchResult(message, status.message(), result_listener);
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_STATUS_MATCHERS_H_
