#include "hapax/server/grpc/translated_call.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/health/health.pb.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/service_host_fixture.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kHostedDeposit[] = "hapax.test.v1.Ledger/Deposit";
constexpr char kHostedBalance[] = "hapax.test.v1.Ledger/GetBalance";

std::atomic<int> requests_read = 0;

// "x" becomes a deposit "(x)", and its reply "r" becomes "<r>". A request that is too long has no translation.
TranslationStep BeginPut(std::string_view request) {
  ++requests_read;
  if (request.size() > 10) return TranslationStep::End(RefuseParameter("coins", "must be few"));
  return TranslationStep::Call(kHostedDeposit, absl::StrCat("(", std::string(request), ")"),
                               [](absl::StatusOr<std::string> reply) {
                                 if (!reply.ok()) return TranslationStep::End(std::move(reply));
                                 return TranslationStep::End(absl::StrCat("<", *reply, ">"));
                               });
}

// Reads first, then deposits what it read, and then tells what it read, even if the deposit failed.
TranslationStep BeginDouble(std::string_view request) {
  return TranslationStep::Call(kHostedBalance, std::string(request), [](absl::StatusOr<std::string> balance) {
    if (!balance.ok())
      return TranslationStep::Call("no.such.Service/Method", "",
                                   [](auto reply) { return TranslationStep::End(std::move(reply)); });
    return TranslationStep::Call(kHostedDeposit, *balance, [balance = *balance](const auto& /*deposited*/) {
      return TranslationStep::End(balance);
    });
  });
}

const std::vector<TranslatedMethod>& Methods() {
  static const auto& methods = *new std::vector<TranslatedMethod>{
      {.name = "hapax.test.v1.Jobs/Put", .first_method = kHostedDeposit, .begin = BeginPut},
      {.name = "hapax.test.v1.Jobs/Double", .first_method = kHostedBalance, .begin = BeginDouble}};
  return methods;
}

class TranslatedCallTest : public ServiceHostTest {
 protected:
  static constexpr char kPut[] = "/hapax.test.v1.Jobs/Put";
  static constexpr char kDouble[] = "/hapax.test.v1.Jobs/Double";

  explicit TranslatedCallTest(bool reads_requests = true) : ServiceHostTest({}, reads_requests, Methods()) {}
};

class UnreadTranslatedCallTest : public TranslatedCallTest {
 protected:
  UnreadTranslatedCallTest() : TranslatedCallTest(false) {}
};

TEST_F(TranslatedCallTest, TheChainSeesACallOfTheHostedMethod) {
  const auto pending = Client().Start(kPut, "x", {{"idempotency-key", "T"}}, absl::Hours(1));
  UnaryCall& call = holding_->Take();
  EXPECT_EQ(call.method().name, kHostedDeposit);
  EXPECT_EQ(call.request_bytes(), "(x)");
  EXPECT_THAT(call.Metadata("idempotency-key"), ElementsAre("T"));
  EXPECT_THAT(call.peer(), HasSubstr("127.0.0.1"));
  EXPECT_LT(call.deadline(), absl::Now() + absl::Minutes(61));
  EXPECT_FALSE(call.IsCancelled());
  call.outcome = Outcome::kReplayed;
  call.Finish(std::string("r"));
  const RawReply reply = pending->Wait();
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.bytes, "<r>");
  EXPECT_EQ(reply.outcome(), "replayed");
  EXPECT_EQ(RawReply::One(reply.initial, "idempotent-replayed"), "true");
}

TEST_F(TranslatedCallTest, C27AnErrorOfTheHostedMethodIsThatOfTheCall) {
  const auto pending = Client().Start(kPut, "x");
  holding_->Take().Finish(Refuse(Reason::kIncorrectInstanceState, "not now"));
  const RawReply reply = pending->Wait();
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(reply.reason(), "hapax/INCORRECT_INSTANCE_STATE");
  EXPECT_EQ(reply.retry(), "same-token");
  EXPECT_EQ(reply.outcome(), "none");
}

TEST_F(TranslatedCallTest, ARequestWithoutATranslationArrivesAsAFault) {
  const auto pending = Client().Start(kPut, "far too many coins");
  UnaryCall& call = holding_->Take();
  EXPECT_FALSE(call.has_request());
  EXPECT_THAT(call.request_fault(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("coins")));
  call.Finish(call.request_fault());
  EXPECT_EQ(pending->Wait().reason(), "hapax/INVALID_PARAMETER");
}

TEST_F(TranslatedCallTest, OneCallFollowsAnotherAndTheOutcomeIsThatOfTheMutation) {
  const auto pending = Client().Start(kDouble, "whose", {{"x-client-token", "T"}});
  UnaryCall& read = holding_->Take();
  EXPECT_EQ(read.method().name, kHostedBalance);
  EXPECT_EQ(read.request_bytes(), "whose");
  read.Finish(std::string("7"));
  UnaryCall& deposit = holding_->Take();
  EXPECT_EQ(deposit.method().name, kHostedDeposit);
  EXPECT_TRUE(deposit.has_request());
  EXPECT_EQ(deposit.request_bytes(), "7");
  EXPECT_THAT(deposit.Metadata("x-client-token"), ElementsAre("T"));
  deposit.outcome = Outcome::kExecuted;
  deposit.Finish(std::string("done"));
  const RawReply reply = pending->Wait();
  EXPECT_EQ(reply.bytes, "7");
  EXPECT_EQ(reply.outcome(), "executed");
}

TEST_F(TranslatedCallTest, AMethodThatIsNotHostedIsUnimplemented) {
  const auto pending = Client().Start(kDouble, "whose");
  holding_->Take().Finish(Refuse(Reason::kInternal, "broken"));
  EXPECT_EQ(pending->Wait().reason(), "hapax/UNIMPLEMENTED");
}

TEST_F(TranslatedCallTest, ACallLearnsThatItsClientCancelled) {
  const auto pending = Client().Start(kPut, "x");
  UnaryCall& call = holding_->Take();
  pending->Cancel();
  EXPECT_EQ(pending->Wait().status.error_code(), grpc::StatusCode::CANCELLED);
  while (!call.IsCancelled()) std::this_thread::yield();  // The news is on its way.
  call.Finish(std::string("too late"));
}

TEST_F(TranslatedCallTest, C32_ALargeTranslatedReplyTakesItsBytesUntilItIsSent) {
  constexpr size_t kBytes = size_t{2} << 20;
  MessageBudget budget({.bytes = 4 * kBytes, .max_message_bytes = kBytes});
  const auto pending = Client().Start(kPut, "x");
  UnaryCall& call = holding_->Take();
  call.principal.tenant = "tenant";
  call.reply_budget = &budget;
  call.Finish(std::string(kBytes, 'r'));
  EXPECT_EQ(pending->Wait().bytes.size(), kBytes + 2);
  while (budget.taken() > 0) std::this_thread::yield();  // The stream is on its way out.
  host_->Drain(absl::ZeroDuration());                    // Before the budget is gone.
}

// The chain admits the caller, and makes room for the request, before it is read.
TEST_F(UnreadTranslatedCallTest, C32_ARequestIsReadWhenTheChainAsksForIt) {
  const int before = requests_read;
  const auto pending = Client().Start(kPut, "x");
  UnaryCall& call = holding_->Take();
  EXPECT_FALSE(call.has_request());
  call.Finish(Refuse(Reason::kUnauthenticated, "who are you?"));
  EXPECT_EQ(pending->Wait().reason(), "hapax/UNAUTHENTICATED");
  EXPECT_EQ(requests_read, before);
}

TEST_F(TranslatedCallTest, ItsServiceIsInHealth) {
  external::health::HealthCheckRequest check;
  check.set_service("hapax.test.v1.Jobs");
  external::health::HealthCheckResponse health;
  ASSERT_TRUE(health.ParseFromString(Client().Call("/grpc.health.v1.Health/Check", check.SerializeAsString()).bytes));
  EXPECT_EQ(health.status(), external::health::HealthCheckResponse::SERVING);
  EXPECT_EQ(Client().Call("/hapax.test.v1.Jobs/Other", "").status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(TranslatedCallTest, MethodsThatCannotBeServedAreRefusedByName) {
  const auto check = [this](std::vector<TranslatedMethod> methods) {
    return ServiceHost::CheckNames({&service_.hosted()}, methods);
  };
  EXPECT_THAT(check(Methods()), IsOk());
  EXPECT_THAT(check({Methods()[0], Methods()[0]}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hapax.test.v1.Jobs/Put: is given twice")));
  EXPECT_THAT(check({{.name = "a.B/C", .first_method = "a.B/D", .begin = BeginPut}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a.B/C: must begin with a hosted unary method")));
  EXPECT_THAT(check({{.name = "hapax.test.v1.Ledger/Put", .first_method = kHostedDeposit, .begin = BeginPut}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hapax.test.v1.Ledger: is hosted twice")));
}

}  // namespace
}  // namespace hapax
