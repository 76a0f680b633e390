#include <any>
#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/rules.pb.h"

// What comes before what: the order of checks (C21), a replay before quotas and capacity (C16), and
// preparation only for what is new.
namespace hapax {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Ne;
using testing::SizeIs;
using tests::v1::CountOrdersRequest;
using tests::v1::RuleRequest;

class IdempotencyOrderTest : public ChainTest {
 protected:
  Answer Place(const std::string& item, const std::string& token) {
    return chain_.Call(service_.place_order(), OrderOf(item, token));
  }
  Answer Engrave(const std::string& item, const std::string& token) {
    return chain_.Call(service_.engrave_order(), OrderOf(item, token));
  }

  void RefuseEverythingNew(const absl::Status& error) {
    service_.handler_hook = [error](const CallContext&, Transaction&) { return error; };
  }
};

TEST_F(IdempotencyOrderTest, C21_TheTokensFormatIsCheckedBeforeThePlace) {
  Method method = MakeMethod(MethodOf<RuleRequest>("GoodRules", "ZoneRequired"));
  method.mutate = [](const CallContext&, Transaction&, const Method::Message&, const std::any&, Method::Message*) {
    return absl::OkStatus();
  };
  RuleRequest request;
  request.set_token("bad token");
  EXPECT_EQ(chain_.Call(method, request).result, "INVALID_CLIENT_TOKEN");
  request.set_token("token");
  EXPECT_EQ(chain_.Call(method, request).result, "INVALID_PARAMETER");
  request.set_zone("cellar");
  EXPECT_EQ(chain_.Call(method, request).result, "executed");
}

TEST_F(IdempotencyOrderTest, C21_AMismatchComesBeforeTheHandlersOwnChecks) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  RefuseEverythingNew(Refuse(Reason::kImageNotFound, "no such image"));
  EXPECT_EQ(Place("eraser", "token").result, "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(Place("eraser", "another-token").result, "IMAGE_NOT_FOUND");
}

TEST_F(IdempotencyOrderTest, C16_AReplayMeetsNoQuotaCapacityOrExistenceCheck) {
  const Answer first = Place("pencil", "token");
  ASSERT_EQ(first.result, "executed");
  for (const Reason reason : {Reason::kQuotaExceeded, Reason::kInsufficientInstanceCapacity, Reason::kSubnetNotFound}) {
    RefuseEverythingNew(Refuse(reason, "not now"));
    const Answer retry = Place("pencil", "token");
    EXPECT_EQ(retry.result, "replayed");
    EXPECT_EQ(retry.bytes, first.bytes);
    EXPECT_THAT(Place("pencil", "another-token").status, HasReason(reason));
  }
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyOrderTest, ThePreparationIsTheHandlersAndRunsOnAnotherThread) {
  const Answer answer = Engrave("pencil", "token");
  EXPECT_EQ(answer.result, "executed");
  EXPECT_EQ(Order(answer.bytes).engraving(), "engraved: pencil");
  EXPECT_THAT(service_.prepare_threads(), SizeIs(1));
  EXPECT_THAT(service_.prepare_threads(), Each(Ne(std::this_thread::get_id())));
}

TEST_F(IdempotencyOrderTest, C3_ACallWithoutATokenIsPreparedToo) {
  EXPECT_EQ(Order(Engrave("pencil", "").bytes).engraving(), "engraved: pencil");
  EXPECT_EQ(Order(Engrave("pen", "").bytes).engraving(), "engraved: pen");
}

TEST_F(IdempotencyOrderTest, ARetryAndAMismatchAreNotPrepared) {
  ASSERT_EQ(Engrave("pencil", "token").result, "executed");
  EXPECT_EQ(Engrave("pencil", "token").result, "replayed");
  EXPECT_EQ(Engrave("pen", "token").result, "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(Engrave("pencil", "bad token").result, "INVALID_CLIENT_TOKEN");
  EXPECT_THAT(service_.prepare_threads(), SizeIs(1));
}

TEST_F(IdempotencyOrderTest, C12_AnErrorOfThePreparationLeavesTheTokenFree) {
  service_.prepare_hook = [](const CallContext&) { return absl::InternalError("no more ink"); };
  EXPECT_EQ(Engrave("pencil", "token").status, absl::InternalError("no more ink"));
  EXPECT_EQ(service_.runs(), 0);
  service_.prepare_hook = nullptr;
  EXPECT_EQ(Engrave("pencil", "token").result, "executed");
}

// Both are prepared, since neither can know of the other; one of them is executed.
TEST_F(IdempotencyOrderTest, C11_DuplicatesThatArePreparedAtOnceGetOneReply) {
  absl::Barrier both(2);
  service_.prepare_hook = [&](const CallContext&) {
    both.Block();
    return absl::OkStatus();
  };
  FakeCall one(service_.engrave_order(), OrderOf("pencil", "token"));
  FakeCall other(service_.engrave_order(), OrderOf("pencil", "token"));
  chain_.Run(one);
  chain_.Run(other);
  EXPECT_EQ(AnswerTo(one).bytes, AnswerTo(other).bytes);
  EXPECT_THAT((std::vector{one.Result(), other.Result()}), testing::UnorderedElementsAre("executed", "replayed"));
  EXPECT_THAT(service_.prepare_threads(), SizeIs(2));
  EXPECT_EQ(service_.runs(), 1);
}

class BusyWorkersTest : public IdempotencyOrderTest {
 protected:
  // One worker, which is busy, and room for one piece of work, which is taken.
  BusyWorkersTest() : busy_chain_(*store_, {.worker_threads = 1, .max_waiting_work = 1}) {
    Schedule([this] {
      busy_.Notify();
      idle_.WaitForNotification();
    });
    busy_.WaitForNotification();
    Schedule([] {});
  }
  ~BusyWorkersTest() override { idle_.Notify(); }

  void Schedule(WorkerPool::Work work) { EXPECT_TRUE(busy_chain_.workers().TrySchedule(work, "")); }

  absl::Notification busy_;
  absl::Notification idle_;
  TestChain busy_chain_;
};

TEST_F(BusyWorkersTest, WhatIsNewIsOverloadWithATimeToComeBackAndLeavesTheTokenFree) {
  const Answer answer = busy_chain_.Call(service_.engrave_order(), OrderOf("pencil", "token"));
  EXPECT_THAT(answer.status, HasReason(Reason::kOverloaded));
  EXPECT_TRUE(DetailOf<external::rpc::RetryInfo>(answer.status).has_value());
  EXPECT_THAT(DurableOrders(*store_), IsEmpty());
  EXPECT_EQ(Engrave("pencil", "token").result, "executed");
}

TEST_F(BusyWorkersTest, C21_ARetryIsReplayed) {
  const Answer first = Engrave("pencil", "token");
  const Answer retry = busy_chain_.Call(service_.engrave_order(), OrderOf("pencil", "token"));
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
}

TEST_F(BusyWorkersTest, WhatNeedsNoPreparationIsNotConcerned) {
  EXPECT_EQ(busy_chain_.Call(service_.place_order(), OrderOf("pencil", "token")).result, "executed");
  EXPECT_EQ(busy_chain_.Call(service_.count_orders(), CountOrdersRequest()).result, "ok");
}

}  // namespace
}  // namespace hapax
