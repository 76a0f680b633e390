#include "hapax/server/doors/ec2/ec2_error.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/support/files.h"

namespace hapax::ec2 {
namespace {

// Clients of EC2 try 5xx again, and nothing else.
TEST(Ec2Error, WhatTheSameTokenMayMendIsTriedAgain) {
  for (const ReasonInfo& info : AllReasons()) {
    const Ec2Error error = ToEc2Error(Refuse(info.reason, "text"), "RunInstances");
    EXPECT_FALSE(error.code.empty()) << info.name;
    EXPECT_EQ(error.verdict, info.verdict) << info.name;
    // In these EC2 differs: its clients do not wait for a state or a quota to change; a damaged record is a fault.
    if (info.reason == Reason::kIncorrectInstanceState || info.reason == Reason::kQuotaExceeded) {
      EXPECT_EQ(error.http_status, 400) << info.name;
    } else if (info.reason == Reason::kTokenRecordCorrupt) {
      EXPECT_EQ(error.http_status, 500) << info.name;
    } else {
      EXPECT_EQ(error.http_status >= 500, info.verdict == RetryVerdict::kSameToken) << info.name;
    }
  }
}

TEST(Ec2Error, SomeReasonsHaveACodeForEachAction) {
  const absl::Status full = Refuse(Reason::kInsufficientInstanceCapacity, "no room");
  EXPECT_EQ(ToEc2Error(full, "RunInstances").code, "InsufficientInstanceCapacity");
  EXPECT_EQ(ToEc2Error(full, "AllocateHosts").code, "InsufficientHostCapacity");
  EXPECT_EQ(ToEc2Error(full, "RunInstances", /*names_host=*/true).code, "InsufficientCapacityOnHost");
  EXPECT_EQ(ToEc2Error(full, "RunInstances", /*names_host=*/true).http_status, 400);
  EXPECT_EQ(ToEc2Error(RefuseField(Reason::kQuotaExceeded, "min_count", "too many"), "RunInstances").code,
            "InstanceLimitExceeded");
  EXPECT_EQ(ToEc2Error(RefuseField(Reason::kQuotaExceeded, "quantity", "too many"), "AllocateHosts").code,
            "HostLimitExceeded");
  EXPECT_EQ(ToEc2Error(Refuse(Reason::kQuotaExceeded, "too many tokens"), "RunInstances").code,
            "ResourceLimitExceeded");
}

TEST(Ec2Error, ErrorsWithoutAReasonGoByTheirCode) {
  EXPECT_EQ(ToEc2Error(absl::UnavailableError("gone"), "RunInstances").http_status, 503);
  EXPECT_EQ(ToEc2Error(absl::ResourceExhaustedError("busy"), "RunInstances").http_status, 503);
  EXPECT_EQ(ToEc2Error(absl::InvalidArgumentError("bad"), "RunInstances").http_status, 400);
  EXPECT_EQ(ToEc2Error(absl::UnknownError("odd"), "RunInstances").http_status, 500);
}

TEST(Ec2Error, TheDocumentHasARowForEachReason) {
  const std::string document = ContentOf(HAPAX_EC2_DOCUMENT);
  for (const ReasonInfo& info : AllReasons()) {
    const size_t at = document.find(absl::StrCat("`", std::string(info.name), "`"));
    ASSERT_NE(at, std::string::npos) << info.name;
    const std::string row = document.substr(at, document.find('\n', at) - at);
    const Ec2Error error = ToEc2Error(Refuse(info.reason, "text"), "RunInstances");
    EXPECT_THAT(row, ::testing::HasSubstr(absl::StrCat("| ", error.http_status, " | "))) << info.name;
    EXPECT_THAT(row, ::testing::HasSubstr(absl::StrCat("`", error.code, "`"))) << info.name;
  }
}

TEST(Ec2Error, AMismatchSaysWhatEc2Says) {
  const Ec2Error error =
      ToEc2Error(Refuse(Reason::kIdempotentParameterMismatch, "IdempotentParameterMismatch: max_count differs"), "X");
  EXPECT_EQ(error.message,
            "Arguments on this idempotent request are inconsistent with arguments used in previous request(s). "
            "max_count differs");
}

TEST(Ec2Error, XmlHasEc2sForm) {
  EXPECT_EQ(
      ErrorXml({.code = "C", .message = "<m>"}, "r"),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>C</Code><Message>&lt;m&gt;</Message>"
      "</Error></Errors><RequestID>r</RequestID></Response>");
}

}  // namespace
}  // namespace hapax::ec2
