#include "hapax/storage/etcd/error.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using Remedy = EtcdError::Remedy;

TEST(EtcdErrorTest, WhoIsNotLetInIsToldSoThoughTheTextIsUnknown) {
  EtcdError error = EtcdErrorOf(grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "RBAC: access denied"));
  EXPECT_THAT(error.status, StatusIs(StatusCode::kPermissionDenied, HasSubstr("RBAC: access denied")));
  EXPECT_TRUE(error.had_no_effect);
  EXPECT_EQ(error.remedy, Remedy::kNone);
  error = EtcdErrorOf(grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "who are you"));
  EXPECT_THAT(error.status, StatusIs(StatusCode::kUnauthenticated, HasSubstr("who are you")));
  EXPECT_TRUE(error.had_no_effect);
  EXPECT_EQ(error.remedy, Remedy::kNewToken);
}

TEST(EtcdErrorTest, OtherUnknownErrorsSayNothingAboutTheEffect) {
  for (const auto code : {grpc::StatusCode::UNKNOWN, grpc::StatusCode::INTERNAL, grpc::StatusCode::CANCELLED,
                          grpc::StatusCode::DEADLINE_EXCEEDED, grpc::StatusCode::UNAVAILABLE}) {
    const EtcdError error = EtcdErrorOf(grpc::Status(code, "something"));
    EXPECT_THAT(error.status, StatusIs(StatusCode::kUnavailable));
    EXPECT_FALSE(error.had_no_effect);
    EXPECT_EQ(error.remedy, Remedy::kOtherMember);
  }
}

}  // namespace
}  // namespace hapax
