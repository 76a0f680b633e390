#include "hapax/interceptors/reason.h"

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::UnorderedElementsAreArray;

using Row = std::tuple<std::string, StatusCode, std::string>;

// Section 5 of the contract: reason, gRPC code, `hapax-retry`.
const std::vector<Row> kContract = {
    {"INVALID_CLIENT_TOKEN", StatusCode::kInvalidArgument, "never"},
    {"CLIENT_TOKEN_CONFLICT", StatusCode::kInvalidArgument, "never"},
    {"IDEMPOTENT_PARAMETER_MISMATCH", StatusCode::kInvalidArgument, "new-token"},
    {"CLIENT_TOKEN_EXPIRED", StatusCode::kFailedPrecondition, "new-token"},
    {"CLIENT_TOKEN_ABANDONED", StatusCode::kFailedPrecondition, "new-token"},
    {"TOKEN_STORE_UNAVAILABLE", StatusCode::kUnavailable, "same-token"},
    {"TOKEN_RECORD_CORRUPT", StatusCode::kDataLoss, "never"},
    {"OVERLOADED", StatusCode::kResourceExhausted, "same-token"},
    {"UNAUTHENTICATED", StatusCode::kUnauthenticated, "never"},
    {"PERMISSION_DENIED", StatusCode::kPermissionDenied, "never"},
    {"INVALID_PARAMETER", StatusCode::kInvalidArgument, "never"},
    {"UNKNOWN_REGION", StatusCode::kInvalidArgument, "never"},
    {"UNKNOWN_AVAILABILITY_ZONE", StatusCode::kInvalidArgument, "never"},
    {"ZONE_SUBNET_CONFLICT", StatusCode::kInvalidArgument, "never"},
    {"IMAGE_NOT_FOUND", StatusCode::kNotFound, "never"},
    {"SUBNET_NOT_FOUND", StatusCode::kNotFound, "never"},
    {"KEYPAIR_NOT_FOUND", StatusCode::kNotFound, "never"},
    {"HOST_NOT_FOUND", StatusCode::kNotFound, "never"},
    {"INSTANCE_NOT_FOUND", StatusCode::kNotFound, "never"},
    {"KEYPAIR_ALREADY_EXISTS", StatusCode::kAlreadyExists, "never"},
    {"INCORRECT_INSTANCE_STATE", StatusCode::kFailedPrecondition, "same-token"},
    {"INSUFFICIENT_INSTANCE_CAPACITY", StatusCode::kResourceExhausted, "same-token"},
    {"QUOTA_EXCEEDED", StatusCode::kResourceExhausted, "same-token"},
    // What the contract's table leaves out, so that every error has a reason.
    {"OPERATION_NOT_FOUND", StatusCode::kNotFound, "never"},
    {"DEADLINE_EXCEEDED", StatusCode::kDeadlineExceeded, "same-token"},
    {"CANCELLED", StatusCode::kCancelled, "same-token"},
    {"UNIMPLEMENTED", StatusCode::kUnimplemented, "never"},
    {"INTERNAL", StatusCode::kInternal, "same-token"},
};

TEST(Reason, C27_TheListIsTheContractsWithItsCodesAndVerdicts) {
  std::vector<Row> rows;
  for (const ReasonInfo& info : AllReasons()) {
    rows.emplace_back(std::string(info.name), info.code, std::string(WireName(info.verdict)));
  }
  EXPECT_THAT(rows, UnorderedElementsAreArray(kContract));
}

TEST(Reason, EachHasOneRowAndIsFoundByItsName) {
  std::set<Reason> reasons;
  for (const ReasonInfo& info : AllReasons()) {
    SCOPED_TRACE(info.name);
    EXPECT_TRUE(reasons.insert(info.reason).second);
    EXPECT_EQ(&InfoOf(info.reason), &info);
    EXPECT_EQ(ReasonFromName(info.name), info.reason);
  }
}

TEST(Reason, AnotherNameIsNone) {
  EXPECT_EQ(ReasonFromName(""), std::nullopt);
  EXPECT_EQ(ReasonFromName("overloaded"), std::nullopt);
  EXPECT_EQ(ReasonFromName("OVERLOADED "), std::nullopt);
  EXPECT_EQ(ReasonFromName("OVERLOAD"), std::nullopt);
}

TEST(RetryVerdict, C27_HasItsNameOnTheWire) {
  EXPECT_EQ(WireName(RetryVerdict::kSameToken), "same-token");
  EXPECT_EQ(WireName(RetryVerdict::kNewToken), "new-token");
  EXPECT_EQ(WireName(RetryVerdict::kNever), "never");
}

}  // namespace
}  // namespace hapax
