#include "hapax/interceptors/dispatch.h"

#include <any>
#include <deque>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/faulty_store.h"
#include "hapax/tests/interceptors/store_hold.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/rules.pb.h"

namespace hapax {
namespace {

using tests::v1::CountOrdersRequest;
using tests::v1::CountOrdersResponse;
using tests::v1::RuleRequest;

int CountIn(const Answer& answer) {
  CountOrdersResponse response;
  EXPECT_TRUE(response.ParseFromString(answer.bytes));
  return response.count();
}

class DispatchTest : public ChainTest {
 protected:
  FaultyStore faulty_{*store_};
  TestChain faulty_chain_{faulty_};
};

TEST_F(DispatchTest, RepliesWithWhatTheHandlerReads) {
  EXPECT_EQ(CountIn(chain_.Call(service_.count_orders(), CountOrdersRequest())), 0);
  ASSERT_EQ(chain_.Call(service_.place_order(), OrderOf("pencil", "")).result, "unprotected");
  const Answer answer = chain_.Call(service_.count_orders(), CountOrdersRequest());
  EXPECT_EQ(answer.result, "ok");
  EXPECT_EQ(CountIn(answer), 1);
}

TEST_F(DispatchTest, AReadThatIsRunTwiceRepliesOnce) {
  ASSERT_EQ(chain_.Call(service_.place_order(), OrderOf("pencil", "")).result, "unprotected");
  faulty_.RunBodiesTwice();
  EXPECT_EQ(CountIn(faulty_chain_.Call(service_.count_orders(), CountOrdersRequest())), 1);
}

TEST_F(DispatchTest, C18_TheStoresErrorIsRefused) {
  faulty_.FailQueries(absl::UnavailableError("disk"));
  const Answer answer = faulty_chain_.Call(service_.count_orders(), CountOrdersRequest());
  EXPECT_THAT(answer.status, HasReason(Reason::kTokenStoreUnavailable));
}

TEST_F(DispatchTest, ATokenIsNothingToARead) {
  FakeCall call(service_.count_orders(), CountOrdersRequest());
  call.AddMetadata("x-client-token", "not a valid token");
  EXPECT_EQ(chain_.Call(call).result, "ok");
}

// A mutation that is idempotent by its nature: it puts a row, and has no token.
class DispatchMutationTest : public DispatchTest {
 protected:
  DispatchMutationTest() {
    method_.mutate = [this](const CallContext& context, Transaction& txn, const Method::Message& request,
                            const std::any& prepared, Method::Message* reply) {
      ++runs_;
      EXPECT_FALSE(prepared.has_value());
      EXPECT_EQ(context.tenant, "default");
      EXPECT_EQ(context.now, faulty_chain_.clock().Now());
      EXPECT_EQ(reply->ByteSizeLong(), 0);
      txn.Put(Table::kResources, static_cast<const RuleRequest&>(request).zone(), "row");
      reply->GetReflection()->MutableUnknownFields(reply)->AddVarint(1, static_cast<uint64_t>(runs_));
      return end_;
    };
  }

  static RuleRequest Request() {
    RuleRequest request;
    request.set_zone("cellar");
    return request;
  }
  int Rows() { return DurableRowCount(*store_, Table::kResources); }

  // The call waits for its transaction to begin; `give_up` happens; the transaction begins.
  template <typename GiveUp>
  Answer GiveUpWhileItWaits(FakeCall& call, GiveUp give_up) {
    StoreHold hold(*store_);
    faulty_chain_.Run(call);
    EXPECT_FALSE(call.ended());
    give_up();
    hold.Release();
    return AnswerTo(call);
  }

  Method method_ = MakeMethod(MethodOf<RuleRequest>("GoodRules", "IdempotentByNature"));
  FakeCall call_{method_, Request()};
  absl::Status end_;
  int runs_ = 0;
};

TEST_F(DispatchMutationTest, MakesItsEffectInATransactionEachTime) {
  const Answer answer = faulty_chain_.Call(call_);
  EXPECT_EQ(answer.result, "ok");
  EXPECT_EQ(answer.bytes, VarintField(1, 1));
  EXPECT_EQ(Rows(), 1);
  EXPECT_EQ(faulty_chain_.Call(method_, Request()).bytes, VarintField(1, 2));
  EXPECT_EQ(Rows(), 1);
}

TEST_F(DispatchMutationTest, ATokenIsNothingToIt) {
  call_.AddMetadata("x-client-token", "token");
  EXPECT_EQ(faulty_chain_.Call(call_).result, "ok");
  EXPECT_EQ(faulty_chain_.Call(method_, Request()).result, "ok");
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(DurableRowCount(*store_, Table::kTokens), 0);
}

TEST_F(DispatchMutationTest, OfABodyThatRunsTwiceTheLastRunCounts) {
  faulty_.RunBodiesTwice();
  EXPECT_EQ(faulty_chain_.Call(call_).bytes, VarintField(1, 2));
  EXPECT_EQ(Rows(), 1);
}

TEST_F(DispatchMutationTest, C12_AnErrorLeavesNothing) {
  end_ = Refuse(Reason::kInvalidParameter, "not this one");
  EXPECT_THAT(faulty_chain_.Call(call_).status, HasReason(Reason::kInvalidParameter));
  EXPECT_EQ(Rows(), 0);
}

TEST_F(DispatchMutationTest, C18_WhatCannotBeWrittenIsNotAcknowledged) {
  faulty_.FailExecutions(absl::UnavailableError("disk"));
  EXPECT_THAT(faulty_chain_.Call(call_).status, HasReason(Reason::kTokenStoreUnavailable));
  faulty_.FailExecutions(absl::OkStatus());
  faulty_.FailAfterCommit(absl::UnavailableError("disk"));
  EXPECT_THAT(faulty_chain_.Call(method_, Request()).status, HasReason(Reason::kTokenStoreUnavailable));
}

TEST_F(DispatchMutationTest, C19_ACallThatIsCancelledBeforeItStartsIsNotExecuted) {
  EXPECT_THAT(GiveUpWhileItWaits(call_, [&] { call_.Cancel(); }).status, HasReason(Reason::kCancelled));
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(Rows(), 0);
}

TEST_F(DispatchMutationTest, C19_NorIsOneWhoseDeadlinePasses) {
  call_.SetDeadline(faulty_chain_.clock().Now() + absl::Seconds(1));
  const auto pass = [&] { faulty_chain_.clock().Advance(absl::Milliseconds(1'001)); };
  EXPECT_THAT(GiveUpWhileItWaits(call_, pass).status, HasReason(Reason::kDeadlineExceeded));
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(Rows(), 0);
}

// A read that answers in its own time.
class DispatchServeTest : public DispatchTest {
 protected:
  Method method_ = MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"));
};

TEST_F(DispatchServeTest, TheCallIsItsToEndNowOrLater) {
  UnaryCall* served = nullptr;
  method_.serve = [&](UnaryCall& call) { served = &call; };
  FakeCall call(method_, CountOrdersRequest());
  call.AddMetadata("x-tenant-id", "tenant");
  chain_.Run(call);
  ASSERT_EQ(served, &call);
  EXPECT_FALSE(call.ended());
  EXPECT_EQ(call.context.tenant, "tenant");
  EXPECT_EQ(call.context.now, chain_.clock().Now());
  std::thread([&] { call.Finish("reply"); }).join();
  EXPECT_EQ(AnswerTo(call).bytes, "reply");
  EXPECT_EQ(call.Result(), "ok");
}

TEST_F(DispatchServeTest, ItMayRefuse) {
  method_.serve = [](UnaryCall& call) { call.Finish(Refuse(Reason::kOperationNotFound, "gone")); };
  EXPECT_THAT(chain_.Call(method_, CountOrdersRequest()).status, HasReason(Reason::kOperationNotFound));
}

// A read whose reply is a page.
class DispatchListTest : public DispatchTest {
 protected:
  DispatchListTest() {
    method_.is_long_read = true;
    method_.read = [this](const CallContext&, const ReadTransaction&, const Method::Message&, Method::Message*) {
      reader_ = std::this_thread::get_id();
      go_on_.WaitForNotification();
      return absl::OkStatus();
    };
  }
  ~DispatchListTest() override {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
  }

  std::thread::id reader_;
  absl::Notification go_on_;
  Method method_ = MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"));
};

TEST_F(DispatchListTest, ItDoesNotHoldUpTheThreadOfItsCall) {
  FakeCall call(method_, CountOrdersRequest());
  chain_.Run(call);
  EXPECT_FALSE(call.ended());
  go_on_.Notify();
  EXPECT_EQ(AnswerTo(call).result, "ok");
  EXPECT_NE(reader_, std::this_thread::get_id());
}

TEST_F(DispatchListTest, ManyThatWaitAreAllReadAndOneMoreIsRefused) {
  method_.read = [this](const CallContext&, const ReadTransaction&, const Method::Message&, Method::Message*) {
    go_on_.WaitForNotification();
    return absl::OkStatus();
  };
  std::deque<FakeCall> calls;
  absl::Status refusal;
  while (refusal.ok()) {
    ASSERT_LT(calls.size(), 10'000u);
    FakeCall& call = calls.emplace_back(method_, CountOrdersRequest());
    chain_.Run(call);
    if (call.ended()) refusal = AnswerTo(call).status;
  }
  EXPECT_THAT(refusal, HasReason(Reason::kOverloaded));
  go_on_.Notify();
  calls.pop_back();
  for (FakeCall& call : calls) EXPECT_EQ(AnswerTo(call).result, "ok");
}

}  // namespace
}  // namespace hapax
