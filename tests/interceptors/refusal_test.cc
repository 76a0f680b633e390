#include "hapax/interceptors/refusal.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/storage/store_error.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using absl::StatusCode;
using external::rpc::BadRequest;
using external::rpc::ErrorInfo;
using external::rpc::RetryInfo;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

absl::Status WithErrorInfo(const std::string& payload) {
  absl::Status status = absl::NotFoundError("no such thing");
  status.SetPayload(kErrorInfoUrl, absl::Cord(payload));
  return status;
}

std::string SerializedErrorInfo(const std::string& domain, const std::string& reason) {
  ErrorInfo info;
  info.set_domain(domain);
  info.set_reason(reason);
  return info.SerializeAsString();
}

TEST(Refuse, C27_HasTheReasonsCodeAndOneErrorInfo) {
  for (const ReasonInfo& info : AllReasons()) {
    const absl::Status status = Refuse(info.reason, "what is wrong");
    EXPECT_THAT(status, StatusIs(info.code, "what is wrong"));
    const auto error_info = DetailOf<ErrorInfo>(status);
    ASSERT_TRUE(error_info.has_value());
    EXPECT_EQ(error_info->reason(), info.name);
    EXPECT_EQ(error_info->domain(), "hapax");
    EXPECT_EQ(DetailOf<BadRequest>(status), std::nullopt);
  }
}

constexpr OwnReason kNoFunds = {.domain = "payments.example.com",
                                .reason = "INSUFFICIENT_FUNDS",
                                .code = StatusCode::kAborted,
                                .verdict = RetryVerdict::kNewToken,
                                .retry_delay = absl::Seconds(3)};

TEST(Refuse, AServicesOwnReasonIsKeptWhole) {
  // As the chain hands it on.
  const absl::Status status = ToRefusal(HandlersError(Refuse(kNoFunds, "too little", {{.field = "amount"}})));
  EXPECT_THAT(status, StatusIs(StatusCode::kAborted, "too little"));
  const auto error_info = DetailOf<ErrorInfo>(status);
  ASSERT_TRUE(error_info.has_value());
  EXPECT_EQ(error_info->reason(), "INSUFFICIENT_FUNDS");
  EXPECT_EQ(error_info->domain(), "payments.example.com");
  EXPECT_EQ(DetailOf<BadRequest>(status)->field_violations(0).field(), "amount");
  EXPECT_EQ(DetailOf<RetryInfo>(status)->retry_delay().seconds(), 3);
  EXPECT_EQ(VerdictOf(status), RetryVerdict::kNewToken);
  EXPECT_EQ(ReasonOf(status), std::nullopt);
  EXPECT_EQ(OwnReasonOf(status), "INSUFFICIENT_FUNDS");
}

TEST(Refuse, AReasonOfHapaxIsNobodysOwn) {
  EXPECT_EQ(OwnReasonOf(Refuse(Reason::kInternal, "fault")), std::nullopt);
  EXPECT_EQ(OwnReasonOf(absl::InternalError("fault")), std::nullopt);
}

TEST(Refuse, NamesTheFieldsInBadRequest) {
  const absl::Status status = Refuse(Reason::kInvalidParameter, "two are wrong",
                                     {{.field = "a.b", .description = "must be odd"}, {.field = "c"}});
  const auto bad_request = DetailOf<BadRequest>(status);
  ASSERT_TRUE(bad_request.has_value());
  ASSERT_EQ(bad_request->field_violations_size(), 2);
  EXPECT_EQ(bad_request->field_violations(0).field(), "a.b");
  EXPECT_EQ(bad_request->field_violations(0).description(), "must be odd");
  EXPECT_EQ(bad_request->field_violations(1).field(), "c");
  EXPECT_THAT(status, HasReason(Reason::kInvalidParameter));
}

TEST(Refuse, C32_SaysHowManyViolationsAreLeftOut) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 1'000; ++i) violations.push_back({.field = "field", .description = "must be odd"});
  const auto bad_request = DetailOf<BadRequest>(Refuse(Reason::kInvalidParameter, "all are wrong", violations));
  ASSERT_TRUE(bad_request.has_value());
  const int named = bad_request->field_violations_size() - 1;
  EXPECT_GT(named, 20);
  EXPECT_EQ(bad_request->field_violations(named).field(), "");
  EXPECT_EQ(bad_request->field_violations(named).description(), "and " + std::to_string(1'000 - named) + " more");
}

TEST(Refuse, C32_CutsALongMessageBetweenCharacters) {
  std::string umlauts;
  for (int i = 0; i < 1'000; ++i) umlauts += "\xC3\xBC";
  const std::string message(Refuse(Reason::kInvalidParameter, umlauts).message());
  ASSERT_GT(message.size(), 100);
  EXPECT_EQ(message, umlauts.substr(0, message.size() - 3) + "...");
  EXPECT_EQ(message.size() % 2, 1);
  EXPECT_EQ(Refuse(Reason::kInvalidParameter, "a\xC3(b").message(), "a?(b");
}

TEST(RefuseField, SaysTheFieldAndWhatIsAllowed) {
  const absl::Status status = RefuseField(Reason::kImageNotFound, "image_id", "must be in the catalog");
  EXPECT_THAT(status, HasReason(Reason::kImageNotFound));
  EXPECT_EQ(status.message(), "image_id: must be in the catalog");
  EXPECT_THAT(FieldsOf(status), ElementsAre("image_id"));
  EXPECT_EQ(DetailOf<BadRequest>(status)->field_violations(0).description(), "must be in the catalog");
}

TEST(RefuseParameter, IsAnInvalidParameter) {
  const absl::Status status = RefuseParameter("max_count", "must be positive");
  EXPECT_THAT(status, HasReason(Reason::kInvalidParameter));
  EXPECT_EQ(status.message(), "max_count: must be positive");
}

TEST(RefuseValue, ShowsTheValueInTheMessageOnly) {
  const absl::Status status = RefuseValue(Reason::kUnknownRegion, "region", "mars", "must be one of the catalog's");
  EXPECT_THAT(status, HasReason(Reason::kUnknownRegion));
  EXPECT_EQ(status.message(), "region \"mars\": must be one of the catalog's");
  EXPECT_THAT(FieldsOf(status), ElementsAre("region"));
  EXPECT_THAT(DetailOf<BadRequest>(status)->SerializeAsString(), Not(HasSubstr("mars")));
}

TEST(RefuseValue, EscapesWhatIsNotPrintable) {
  const absl::Status status = RefuseValue(Reason::kUnknownRegion, "region", "a\"\n\x7F\xC3\xA4", "x");
  EXPECT_EQ(status.message(), R"(region "a\"\n\x7f\xc3\xa4": x)");
}

TEST(RefuseValue, CutsAfter64Bytes) {
  EXPECT_EQ(RefuseValue(Reason::kUnknownRegion, "f", std::string(64, 'v'), "x").message(),
            "f \"" + std::string(64, 'v') + "\": x");
  EXPECT_EQ(RefuseValue(Reason::kUnknownRegion, "f", std::string(65, 'v'), "x").message(),
            "f \"" + std::string(64, 'v') + "...\": x");
}

TEST(Refuse, C27_SaysWhenToComeBackWhereWaitingHelps) {
  for (const ReasonInfo& info : AllReasons()) {
    SCOPED_TRACE(info.name);
    const auto retry_info = DetailOf<RetryInfo>(Refuse(info.reason, ""));
    ASSERT_EQ(retry_info.has_value(), info.retry_delay > absl::ZeroDuration());
    if (!retry_info.has_value()) continue;
    EXPECT_EQ(FromProtoDuration(retry_info->retry_delay()), info.retry_delay);
    EXPECT_EQ(info.verdict, RetryVerdict::kSameToken) << "there is nothing to wait for";
  }
  EXPECT_TRUE(DetailOf<RetryInfo>(Refuse(Reason::kOverloaded, "")).has_value());
}

TEST(ReasonOf, IsNoneForAStatusThatWasNotRefused) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(ReasonOf(absl::NotFoundError("no such thing")), std::nullopt);
}

TEST(ReasonOf, IsNoneForAnErrorInfoOfOthersOrADamagedOne) {
  EXPECT_EQ(ReasonOf(WithErrorInfo(SerializedErrorInfo("hapax", "OVERLOADED"))), Reason::kOverloaded);
  EXPECT_EQ(ReasonOf(WithErrorInfo(SerializedErrorInfo("elsewhere", "OVERLOADED"))), std::nullopt);
  EXPECT_EQ(ReasonOf(WithErrorInfo(SerializedErrorInfo("hapax", "UNHEARD_OF"))), std::nullopt);
  EXPECT_EQ(ReasonOf(WithErrorInfo("\xFF")), std::nullopt);
}

TEST(ToRefusal, C18_GivesTheStoresErrorsTheirReasonsAndKeepsTheirTexts) {
  const std::string text = "/data/000123.sst: input/output error";
  const std::map<StatusCode, Reason> expected = {{StatusCode::kUnavailable, Reason::kTokenStoreUnavailable},
                                                 {StatusCode::kDataLoss, Reason::kTokenRecordCorrupt},
                                                 {StatusCode::kResourceExhausted, Reason::kOverloaded},
                                                 {StatusCode::kInternal, Reason::kInternal},
                                                 {StatusCode::kUnknown, Reason::kInternal}};
  for (const auto& [code, reason] : expected) {
    const absl::Status refused = ToRefusal(absl::Status(code, text));
    EXPECT_THAT(refused, HasReason(reason));
    EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("000123")));
    EXPECT_EQ(CauseOf(refused), text) << "the log has it";
  }
}

TEST(CauseOf, IsEmptyForWhatWasRefusedToBeginWith) {
  EXPECT_EQ(CauseOf(absl::OkStatus()), "");
  EXPECT_EQ(CauseOf(ToRefusal(Refuse(Reason::kQuotaExceeded, "no more"))), "");
}

TEST(ToRefusal, OverloadSaysWhenToComeBack) {
  const auto retry_info = DetailOf<RetryInfo>(ToRefusal(absl::ResourceExhaustedError("full")));
  ASSERT_TRUE(retry_info.has_value());
  EXPECT_GT(retry_info->retry_delay().nanos(), 0);
}

TEST(ToRefusal, LeavesEverythingElseAsItIs) {
  EXPECT_EQ(ToRefusal(absl::OkStatus()), absl::OkStatus());
  const absl::Status quota = Refuse(Reason::kQuotaExceeded, "no more");
  EXPECT_EQ(ToRefusal(quota), quota);
  for (const absl::Status& status : {absl::CancelledError("c"), absl::DeadlineExceededError("d"),
                                     absl::NotFoundError("n"), absl::FailedPreconditionError("f")}) {
    EXPECT_EQ(ToRefusal(status), status);
  }
}

TEST(HandlersError, ComesBackFromToRefusalAsTheHandlerMadeItWhateverItsCode) {
  for (int code = 1; code <= 16; ++code) {
    absl::Status error(static_cast<StatusCode>(code), "of the handler's");
    EXPECT_EQ(ToRefusal(HandlersError(error)), error);
    error.SetPayload(kErrorInfoUrl, absl::Cord(SerializedErrorInfo("payments.example", "CARD_DECLINED")));
    EXPECT_EQ(ToRefusal(HandlersError(error)), error);
  }
  EXPECT_EQ(HandlersError(absl::OkStatus()), absl::OkStatus());
}

TEST(HandlersError, IsNotOneOfTheStoresThatAHandlerPassesOn_C18) {
  EXPECT_THAT(ToRefusal(HandlersError(StoreError(absl::UnavailableError("disk")))),
              HasReason(Reason::kTokenStoreUnavailable));
  EXPECT_THAT(ToRefusal(HandlersError(StoreError(absl::DataLossError("row")))), HasReason(Reason::kTokenRecordCorrupt));
  const absl::Status refused = Refuse(Reason::kQuotaExceeded, "no more");
  EXPECT_EQ(HandlersError(refused), refused);
}

TEST(VerdictOf, WithARetryInfoOfTheHandlersItIsWorthARetry) {
  absl::Status status = absl::FailedPreconditionError("not open yet");
  status.SetPayload("type.googleapis.com/google.rpc.RetryInfo", absl::Cord(RetryInfo().SerializeAsString()));
  EXPECT_EQ(VerdictOf(status), RetryVerdict::kSameToken);
}

TEST(VerdictOf, C27_IsTheReasonsWhateverTheCodeSays) {
  for (const ReasonInfo& info : AllReasons()) EXPECT_EQ(VerdictOf(Refuse(info.reason, "")), info.verdict) << info.name;
}

TEST(VerdictOf, WithoutAReasonOnlyAServersOrNetworksErrorIsWorthARetry) {
  using enum StatusCode;
  for (const StatusCode code :
       {kCancelled, kUnknown, kDeadlineExceeded, kResourceExhausted, kAborted, kInternal, kUnavailable}) {
    EXPECT_EQ(VerdictOf(absl::Status(code, "")), RetryVerdict::kSameToken) << code;
  }
  for (const StatusCode code : {kInvalidArgument, kNotFound, kAlreadyExists, kPermissionDenied, kFailedPrecondition,
                                kOutOfRange, kUnimplemented, kDataLoss, kUnauthenticated}) {
    EXPECT_EQ(VerdictOf(absl::Status(code, "")), RetryVerdict::kNever) << code;
  }
}

}  // namespace
}  // namespace hapax
