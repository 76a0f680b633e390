#include "hapax/server/doors/yandex/rest_reply.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/server/support/json_at.h"
#include "yandex/cloud/operation/operation.pb.h"

namespace hapax::yandex {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

TEST(RestReply, AMessageIsJsonWithItsOutcome) {
  ::yandex::cloud::operation::Operation operation;
  operation.set_id("op");
  const HttpReply reply = JsonReply(operation, Outcome::kReplayed);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(JsonAt(reply.body, "id"), "op");
  EXPECT_THAT(reply.headers, Contains(Pair("hapax-outcome", "replayed")));
  EXPECT_THAT(reply.headers, Contains(Pair("idempotent-replayed", "true")));
  EXPECT_THAT(JsonReply(operation, Outcome::kExecuted).headers, Not(Contains(Key("idempotent-replayed"))));
  EXPECT_TRUE(JsonReply(operation, std::nullopt).headers.empty());
}

TEST(RestReply, AnAnyOfAnUnknownTypeIsAFault) {
  ::yandex::cloud::operation::Operation operation;
  operation.mutable_metadata()->set_type_url("type.googleapis.com/no.such.Type");
  operation.mutable_metadata()->set_value("x");
  EXPECT_EQ(JsonReply(operation, Outcome::kExecuted).status, 500);
}

TEST(RestReply, EachCodeHasItsStatus) {
  constexpr int kStatuses[] = {200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401};
  for (int code = 1; code < 17; ++code) {
    const HttpReply reply = ErrorReply(absl::Status(static_cast<absl::StatusCode>(code), "no"));
    EXPECT_EQ(reply.status, kStatuses[code]) << code;
    EXPECT_EQ(JsonAt(reply.body, "code"), std::to_string(code));
    EXPECT_EQ(JsonAt(reply.body, "message"), "no");
    EXPECT_THAT(reply.headers, Contains(Key("hapax-retry")));
  }
}

TEST(RestReply, DetailsThatCannotBeShownAreLeftOut) {
  absl::Status error = absl::FailedPreconditionError("broke");
  error.SetPayload("type.googleapis.com/no.such.Type", absl::Cord("x"));
  EXPECT_EQ(JsonAt(ErrorReply(error).body, "message"), "broke");
}

TEST(RestReply, WhereWaitingHelpsItTellsHowLong) {
  EXPECT_THAT(ErrorReply(Refuse(Reason::kOverloaded, "full")).headers, Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(ErrorReply(Refuse(Reason::kInvalidParameter, "bad")).headers, Not(Contains(Key("Retry-After"))));
}

}  // namespace
}  // namespace hapax::yandex
