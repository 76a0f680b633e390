#include "hapax/client/hapaxctl/output/report.h"

#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"

namespace hapax::ctl {
namespace {

using ::testing::ElementsAre;

TEST(OutcomeLine, HasTheTokenAndTheAttemptsWhenThereWereSeveral) {
  EXPECT_EQ(OutcomeLine("run-instances", {.token = "T", .outcome = client::Outcome::kExecuted, .attempts = 1}),
            "run-instances: executed; client token T");
  EXPECT_EQ(OutcomeLine("run-instances", {.token = "T", .outcome = client::Outcome::kReplayed, .attempts = 3}),
            "run-instances: replayed; client token T; 3 attempts");
  EXPECT_EQ(OutcomeLine("run-instances", {.outcome = client::Outcome::kUnprotected, .attempts = 1}),
            "run-instances: unprotected");
}

TEST(ErrorLines, ReasonThenMessageThenFieldsThatItDoesNotName) {
  absl::Status status = absl::InvalidArgumentError("two fields are wrong");
  external::rpc::ErrorInfo info;
  info.set_reason("INVALID_PARAMETER");
  info.set_domain("hapax");
  status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord(info.SerializeAsString()));
  external::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field("image_id");
  violation->set_description("must not be empty");
  status.SetPayload("type.googleapis.com/google.rpc.BadRequest", absl::Cord(bad.SerializeAsString()));
  EXPECT_THAT(ErrorLines("run-instances", status),
              ElementsAre("run-instances: INVALID_PARAMETER: two fields are wrong", "  image_id: must not be empty"));
}

TEST(ErrorLines, WithoutAReasonTheCode) {
  EXPECT_THAT(ErrorLines("x", absl::UnavailableError("gone")), ElementsAre("x: UNAVAILABLE: gone"));
}

TEST(RerunLine, QuotesAndAddsTheToken) {
  EXPECT_EQ(RerunLine({"hapaxctl", "run-instances", "--image-id", "it's"}, "T"),
            "hapaxctl run-instances --image-id 'it'\\''s' --client-token T");
}

TEST(RerunLine, KeepsATokenThatIsThere) {
  EXPECT_EQ(RerunLine({"hapaxctl", "--x-client-token", "T", "run-instances"}, "T"),
            "hapaxctl --x-client-token T run-instances");
  EXPECT_EQ(RerunLine({"hapaxctl", "run-instances", "--client-token=T"}, "T"),
            "hapaxctl run-instances --client-token=T");
}

TEST(RerunLine, ShowsNoApiKey) {
  EXPECT_EQ(RerunLine({"hapaxctl", "--api-key", "secret", "v"}, ""), "hapaxctl --api-key \"$HAPAX_API_KEY\" v");
  EXPECT_EQ(RerunLine({"hapaxctl", "--api-key=secret", "v"}, ""), "hapaxctl --api-key \"$HAPAX_API_KEY\" v");
}

}  // namespace
}  // namespace hapax::ctl
