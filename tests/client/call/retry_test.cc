#include "hapax/client/call/retry.h"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/client/call/attempt_ends.h"

namespace hapax::client {
namespace {

using ::absl::Milliseconds;
using ::absl::Seconds;
using ::absl::StatusCode;

std::vector<StatusCode> AllErrorCodes() {
  std::vector<StatusCode> codes;
  for (int code = 1; code <= 16; ++code) codes.push_back(static_cast<StatusCode>(code));
  return codes;
}

// The reasons that the server answers to a token as such, and those after which an effect may be there all the same.
const std::set<std::string> kOfTheToken = {"INVALID_CLIENT_TOKEN", "CLIENT_TOKEN_CONFLICT",
                                           "IDEMPOTENT_PARAMETER_MISMATCH", "CLIENT_TOKEN_EXPIRED",
                                           "CLIENT_TOKEN_ABANDONED"};
const std::set<std::string> kOpen = {"TOKEN_STORE_UNAVAILABLE", "TOKEN_RECORD_CORRUPT", "INTERNAL"};

TEST(AdviceFor, EveryReasonOfTheServers_C27) {
  for (const ReasonInfo& info : AllReasons()) {
    const std::string name(info.name);
    SCOPED_TRACE(name);
    const RetryAdvice advice =
        AdviceFor(Refused(info.code, name, std::string(WireName(info.verdict)), info.retry_delay));
    EXPECT_EQ(advice.retry, info.verdict == hapax::RetryVerdict::kSameToken);
    EXPECT_EQ(advice.delay, info.retry_delay);
    const Proof expected = kOfTheToken.contains(name) ? Proof::kEveryAttempt
                           : kOpen.contains(name)     ? Proof::kNothing
                                                      : Proof::kThisAttempt;
    EXPECT_EQ(advice.proof, expected);
    EXPECT_EQ(advice.elsewhere, name == "TOKEN_STORE_UNAVAILABLE" || name == "DEADLINE_EXCEEDED");
  }
}

TEST(AdviceFor, AnotherServerMayAnswerWhenTheWayToThisOneFailed) {
  for (const StatusCode code : AllErrorCodes()) {
    SCOPED_TRACE(absl::StatusCodeToString(code));
    EXPECT_EQ(AdviceFor(Lost(code)).elsewhere, AdviceFor(Lost(code)).retry);
  }
  const AttemptEnd throttled{.status = WithRetryInfo(absl::ResourceExhaustedError("a proxy's limit"), Seconds(1)),
                             .reply = "",
                             .metadata = {}};
  EXPECT_TRUE(AdviceFor(throttled).retry);
  EXPECT_FALSE(AdviceFor(throttled).elsewhere);
}

TEST(AdviceFor, TheVerdictDecidesWhateverReasonAndCode_C27) {
  for (const StatusCode code : AllErrorCodes()) {
    for (const ReasonInfo& info : AllReasons()) {
      for (const char* const verdict : {"same-token", "new-token", "never", "", "a verdict of the future"}) {
        SCOPED_TRACE(absl::StrCat(absl::StatusCodeToString(code), " ", std::string(info.name), " ", verdict));
        const bool same_token = std::string(verdict) == "same-token";
        EXPECT_EQ(AdviceFor(Refused(code, info.name, verdict)).retry, same_token);
        EXPECT_EQ(AdviceFor(Refused(code, info.name, verdict, Seconds(3))).retry, same_token);
        EXPECT_EQ(AdviceFor(Refused(code, info.name, verdict, Seconds(3))).delay, Seconds(3));
      }
    }
  }
}

TEST(AdviceFor, WithoutAVerdictTheCodeDecides) {
  const std::set<StatusCode> may_pass = {StatusCode::kCancelled, StatusCode::kUnknown,  StatusCode::kDeadlineExceeded,
                                         StatusCode::kAborted,   StatusCode::kInternal, StatusCode::kUnavailable};
  for (const StatusCode code : AllErrorCodes()) {
    const RetryAdvice advice = AdviceFor(Lost(code));
    EXPECT_EQ(advice.retry, may_pass.contains(code)) << code;
    EXPECT_EQ(advice.proof, Proof::kNothing) << code;
    EXPECT_EQ(advice.delay, absl::ZeroDuration());
  }
}

TEST(AdviceFor, WithoutAVerdictRetryInfoAsksForARetry) {
  for (const StatusCode code : AllErrorCodes()) {
    AttemptEnd end = Lost(code);
    end.status = WithRetryInfo(end.status, Milliseconds(1500));
    EXPECT_TRUE(AdviceFor(end).retry) << code;
    EXPECT_EQ(AdviceFor(end).delay, Milliseconds(1500));
  }
}

TEST(AdviceFor, AnotherDomainsReasonProvesNothing) {
  const AttemptEnd end = {.status = WithReason(absl::NotFoundError(""), "IMAGE_NOT_FOUND", "a.proxy")};
  EXPECT_EQ(AdviceFor(end).proof, Proof::kNothing);
}

// A handler's own error: the server sends `hapax-retry`, and no reason of Hapax's. Whatever its code, it left nothing.
TEST(AdviceFor, AVerdictWithoutAReasonIsAHandlersAndProvesThatItsAttemptLeftNothing_C12) {
  for (const StatusCode code : AllErrorCodes()) {
    for (const char* const verdict : {"same-token", "never"}) {
      AttemptEnd end = Lost(code);
      end.metadata = {{"hapax-retry", verdict}};
      EXPECT_EQ(AdviceFor(end).proof, Proof::kThisAttempt) << code;
      end.status = WithReason(end.status, "CARD_DECLINED", "payments.example");
      EXPECT_EQ(AdviceFor(end).proof, Proof::kThisAttempt) << code;
      EXPECT_EQ(AdviceFor(end).retry, std::string(verdict) == "same-token");
    }
  }
}

TEST(AdviceFor, AReasonOfTheFutureProvesWhatItsCodeAllows_C12) {
  EXPECT_EQ(AdviceFor(Refused(StatusCode::kNotFound, "PET_NOT_FOUND", "never")).proof, Proof::kThisAttempt);
  for (const StatusCode code :
       {StatusCode::kUnavailable, StatusCode::kInternal, StatusCode::kDataLoss, StatusCode::kUnknown}) {
    EXPECT_EQ(AdviceFor(Refused(code, "PET_LOST", "never")).proof, Proof::kNothing);
  }
}

TEST(AdviceFor, DamagedDetailsAreNone) {
  AttemptEnd end = Lost(StatusCode::kNotFound);
  for (const char* const type : {"RetryInfo", "ErrorInfo"}) {
    end.status.SetPayload(absl::StrCat("type.googleapis.com/google.rpc.", type), absl::Cord("\xff\xff"));
  }
  EXPECT_FALSE(AdviceFor(end).retry);
  EXPECT_EQ(AdviceFor(end).proof, Proof::kNothing);
}

TEST(RetryBudget, HoldsItsCapacityAndNoMore) {
  RetryBudget budget({.capacity = 3, .per_success = 0.5});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.TryTake());
  EXPECT_FALSE(budget.TryTake());
  budget.OnSuccess();
  EXPECT_FALSE(budget.TryTake()) << "half a retry";
  budget.OnSuccess();
  EXPECT_TRUE(budget.TryTake());
  for (int i = 0; i < 100; ++i) budget.OnSuccess();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.TryTake());
  EXPECT_FALSE(budget.TryTake());
}

TEST(RetryBudget, IsSharedByThreads) {
  RetryBudget budget({.capacity = 1000, .per_success = 0});
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) taken += budget.TryTake() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace hapax::client
