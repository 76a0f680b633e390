#include "hapax/client/call/error.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/tests/client/call/attempt_ends.h"

namespace hapax::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

TEST(ReasonOf, IsTheServersAndEmptyForWhatHasNone_C27) {
  EXPECT_EQ(ReasonOf(NotFound().status), "IMAGE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Lost().status), "");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_EQ(ReasonOf(WithReason(absl::NotFoundError(""), "IMAGE_NOT_FOUND", "googleapis.com")), "");
  EXPECT_EQ(ReasonOf(WithReason(absl::NotFoundError(""), "IMAGE_NOT_FOUND", "")), "");
}

TEST(ReasonOf, IsEmptyWhenTheDetailIsDamaged) {
  absl::Status status = NotFound().status;
  status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord("\xff\xff"));
  EXPECT_EQ(ReasonOf(status), "");
}

TEST(FieldViolationsOf, AreThoseOfBadRequestInItsOrder) {
  external::rpc::BadRequest bad_request;
  for (const char* const field : {"min_count", "placement.availability_zone"}) {
    auto* const violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description("what is allowed");
  }
  absl::Status status = absl::InvalidArgumentError("two fields");
  EXPECT_THAT(FieldViolationsOf(status), IsEmpty());
  AddDetail(bad_request, status);
  EXPECT_THAT(FieldViolationsOf(status), ElementsAre(Field(&FieldViolation::field, "min_count"),
                                                     Field(&FieldViolation::field, "placement.availability_zone")));
  EXPECT_EQ(FieldViolationsOf(status)[0].description, "what is allowed");
}

}  // namespace
}  // namespace hapax::client
