#include "hapax/server/grpc/grpc_status.h"

#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/external/rpc/status.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"

namespace hapax {
namespace {

using testing::ElementsAre;

external::rpc::Status Details(const grpc::Status& status) {
  external::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

std::vector<std::string> TypesOf(const external::rpc::Status& details) {
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
  const external::rpc::Status details = Details(status);
  EXPECT_EQ(details.code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(details.message(), status.error_message());
  ASSERT_THAT(TypesOf(details),
              ElementsAre("type.googleapis.com/google.rpc.BadRequest", "type.googleapis.com/google.rpc.ErrorInfo",
                          "type.googleapis.com/google.rpc.RetryInfo"));
  external::rpc::BadRequest bad_request;
  ASSERT_TRUE(Unpack(details.details(0), bad_request));
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "min_count");
  EXPECT_EQ(bad_request.field_violations(0).description(), "must be at most 2");
  external::rpc::ErrorInfo info;
  ASSERT_TRUE(Unpack(details.details(1), info));
  EXPECT_EQ(info.reason(), "QUOTA_EXCEEDED");
  EXPECT_EQ(info.domain(), "hapax");
}

TEST(ToGrpcStatus, C27ADelayIsAmongTheDetails) {
  const external::rpc::Status details = Details(ToGrpcStatus(Refuse(Reason::kOverloaded, "busy")));
  ASSERT_THAT(TypesOf(details),
              ElementsAre("type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.RetryInfo"));
  external::rpc::RetryInfo retry;
  ASSERT_TRUE(Unpack(details.details(1), retry));
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

// What a client must have room for: both trailers as they are sent.
size_t SentBytes(const grpc::Status& status) {
  size_t message = 0;
  for (const char c : status.error_message()) message += c >= 0x20 && c <= 0x7E && c != '%' ? 1 : 3;
  return message + (status.error_details().size() + 2) / 3 * 4;
}

const std::vector<std::string>& HostileTexts() {
  static const std::vector<std::string> kTexts = {std::string(100'000, 'x'), std::string(100'000, '%'),
                                                  std::string(100'000, '\n'), std::string(100'000, '\xFF'), [] {
                                                    std::string characters;
                                                    for (int i = 0; i < 50'000; ++i) characters += "\xF0\x9F\x98\x80";
                                                    return characters;
                                                  }()};
  return kTexts;
}

TEST(ToGrpcStatus, C32_EveryReasonArrivesWholeWhateverTheRequestHeld) {
  std::vector<FieldViolation> short_ones;
  for (int i = 0; i < 10'000; ++i) short_ones.push_back({.field = std::to_string(i)});
  for (const std::string& text : HostileTexts()) {
    const std::vector<FieldViolation> many(10'000,
                                           {.field = text.substr(0, 1'000), .description = text.substr(0, 1'000)});
    for (const ReasonInfo& info : AllReasons()) {
      for (const absl::Status& refused :
           {Refuse(info.reason, text), Refuse(info.reason, text, many), Refuse(info.reason, text, short_ones),
            Refuse(info.reason, text, {{.field = text, .description = text}}), RefuseField(info.reason, text, text),
            RefuseValue(info.reason, text, text, text), RefuseFor(absl::Hours(1), info.reason, text)}) {
        const grpc::Status status = ToGrpcStatus(refused);
        EXPECT_LE(SentBytes(status), 4096) << info.name;
        const external::rpc::Status details = Details(status);
        EXPECT_EQ(ReasonOf(refused), info.reason);
        // Nothing was dropped at the wire: it was bounded where it was made.
        size_t payloads = 0;
        refused.ForEachPayload([&](absl::string_view /*type*/, const absl::Cord& /*payload*/) { ++payloads; });
        EXPECT_EQ(details.details_size(), payloads) << info.name;
        EXPECT_EQ(details.message(), refused.message());
      }
    }
  }
}

// A handler of somebody's own makes its errors as it likes.
TEST(ToGrpcStatus, C32_AnErrorOfAnyOriginArrivesWhole) {
  for (const std::string& text : HostileTexts()) {
    EXPECT_LE(SentBytes(ToGrpcStatus(absl::NotFoundError(text))), 4096);
    absl::Status status = Refuse(Reason::kImageNotFound, text);
    for (int i = 0; i < 100; ++i) status.SetPayload("type" + std::to_string(i), absl::Cord(text));
    EXPECT_LE(SentBytes(ToGrpcStatus(status)), 4096);
    EXPECT_THAT(TypesOf(Details(ToGrpcStatus(status))), testing::Contains("type.googleapis.com/google.rpc.ErrorInfo"));
    external::rpc::ErrorInfo info;
    info.set_domain("theirs");
    info.set_reason("THEIRS");
    (*info.mutable_metadata())["much"] = std::string(100'000, 'x');
    status = absl::NotFoundError(text);
    status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord(info.SerializeAsString()));
    const external::rpc::Status details = Details(ToGrpcStatus(status));
    EXPECT_LE(SentBytes(ToGrpcStatus(status)), 4096);
    ASSERT_EQ(details.details_size(), 1);
    ASSERT_TRUE(Unpack(details.details(0), info));
    EXPECT_EQ(info.reason(), "THEIRS");
  }
}

}  // namespace
}  // namespace hapax
