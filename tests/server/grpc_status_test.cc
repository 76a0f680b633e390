#include "hapax/server/grpc_status.h"

#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

using testing::ElementsAre;

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

std::vector<std::string> TypesOf(const google::rpc::Status& details) {
  std::vector<std::string> types;
  for (const auto& detail : details.details()) types.push_back(detail.type_url());
  return types;
}

TEST(ToGrpcStatus, OkIsOk) {
  const grpc::Status status = ToGrpcStatus(absl::OkStatus());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_details(), "");
}

TEST(ToGrpcStatus, EveryCodeIsTheOneOfThatName) {
  const std::vector<std::pair<absl::StatusCode, grpc::StatusCode>> codes = {
      {absl::StatusCode::kCancelled, grpc::StatusCode::CANCELLED},
      {absl::StatusCode::kUnknown, grpc::StatusCode::UNKNOWN},
      {absl::StatusCode::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT},
      {absl::StatusCode::kDeadlineExceeded, grpc::StatusCode::DEADLINE_EXCEEDED},
      {absl::StatusCode::kNotFound, grpc::StatusCode::NOT_FOUND},
      {absl::StatusCode::kAlreadyExists, grpc::StatusCode::ALREADY_EXISTS},
      {absl::StatusCode::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED},
      {absl::StatusCode::kUnauthenticated, grpc::StatusCode::UNAUTHENTICATED},
      {absl::StatusCode::kResourceExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {absl::StatusCode::kFailedPrecondition, grpc::StatusCode::FAILED_PRECONDITION},
      {absl::StatusCode::kAborted, grpc::StatusCode::ABORTED},
      {absl::StatusCode::kOutOfRange, grpc::StatusCode::OUT_OF_RANGE},
      {absl::StatusCode::kUnimplemented, grpc::StatusCode::UNIMPLEMENTED},
      {absl::StatusCode::kInternal, grpc::StatusCode::INTERNAL},
      {absl::StatusCode::kUnavailable, grpc::StatusCode::UNAVAILABLE},
      {absl::StatusCode::kDataLoss, grpc::StatusCode::DATA_LOSS},
  };
  for (const auto& [from, to] : codes) {
    const grpc::Status status = ToGrpcStatus(absl::Status(from, "the message"));
    EXPECT_EQ(status.error_code(), to);
    EXPECT_EQ(status.error_message(), "the message");
    EXPECT_EQ(status.error_details(), "") << "a status without payloads has no details";
  }
}

TEST(ToGrpcStatus, C27TheDetailsHoldCodeMessageAndEveryPayload) {
  const absl::Status refused = RefuseField(Reason::kQuotaExceeded, "min_count", "must be at most 2");
  const grpc::Status status = ToGrpcStatus(refused);
  const google::rpc::Status details = Details(status);
  EXPECT_EQ(details.code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(details.message(), status.error_message());
  ASSERT_THAT(TypesOf(details),
              ElementsAre("type.googleapis.com/google.rpc.BadRequest", "type.googleapis.com/google.rpc.ErrorInfo",
                          "type.googleapis.com/google.rpc.RetryInfo"));
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(details.details(0).UnpackTo(&bad_request));
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "min_count");
  EXPECT_EQ(bad_request.field_violations(0).description(), "must be at most 2");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(1).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "QUOTA_EXCEEDED");
  EXPECT_EQ(info.domain(), "hapax");
}

TEST(ToGrpcStatus, C27ADelayIsAmongTheDetails) {
  const google::rpc::Status details = Details(ToGrpcStatus(Refuse(Reason::kOverloaded, "busy")));
  ASSERT_THAT(TypesOf(details),
              ElementsAre("type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.RetryInfo"));
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 0);
  EXPECT_EQ(retry.retry_delay().nanos(), 200'000'000);
}

TEST(ToGrpcStatus, TheOrderOfThePayloadsIsThatOfTheirTypes) {
  absl::Status one = absl::InternalError("x");
  absl::Status other = absl::InternalError("x");
  const std::vector<std::string> types = {"d", "b", "e", "a", "c"};
  for (size_t i = 0; i < types.size(); ++i) {
    one.SetPayload(types[i], absl::Cord(types[i]));
    other.SetPayload(types[types.size() - 1 - i], absl::Cord(types[types.size() - 1 - i]));
  }
  EXPECT_EQ(ToGrpcStatus(one).error_details(), ToGrpcStatus(other).error_details());
  EXPECT_THAT(TypesOf(Details(ToGrpcStatus(one))), ElementsAre("a", "b", "c", "d", "e"));
}

TEST(ToGrpcStatus, AnyBytesOfAPayloadArriveAsTheyAre) {
  absl::Status status = absl::InternalError("x");
  const std::string bytes("\0\xFF\x80", 3);
  status.SetPayload("type", absl::Cord(bytes));
  EXPECT_EQ(Details(ToGrpcStatus(status)).details(0).value(), bytes);
}

}  // namespace
}  // namespace hapax
