#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/store_hold.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/status_matchers.h"

// Calls whose client gave up, before execution started (C19) or after it (C15).
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;

class IdempotencyGivenUpTest : public ChainTest {
 protected:
  // The call waits for its transaction to begin; `give_up` happens; the transaction begins.
  template <typename GiveUp>
  Answer GiveUpWhileItWaits(FakeCall& call, GiveUp give_up) {
    StoreHold hold(*store_);
    chain_.Run(call);
    EXPECT_FALSE(call.ended());
    give_up();
    hold.Release();
    return AnswerTo(call);
  }

  void ExpectNothingDoneAndTheTokenFree() {
    EXPECT_EQ(service_.runs(), 0);
    EXPECT_THAT(DurableOrders(*store_), IsEmpty());
    EXPECT_EQ(chain_.Call(service_.place_order(), OrderOf("pencil", "token")).result, "executed");
  }

  FakeCall call_{service_.place_order(), OrderOf("pencil", "token")};
  FakeCall call_without_token_{service_.place_order(), OrderOf("pencil", "")};
};

TEST_F(IdempotencyGivenUpTest, C19_ACallThatIsCancelledBeforeItStartsIsNotExecuted) {
  const Answer answer = GiveUpWhileItWaits(call_, [&] { call_.Cancel(); });
  EXPECT_THAT(answer.status, StatusIs(StatusCode::kCancelled));
  ExpectNothingDoneAndTheTokenFree();
}

TEST_F(IdempotencyGivenUpTest, C19_ACallWhoseDeadlinePassesBeforeItStartsIsNotExecuted) {
  call_.SetDeadline(chain_.clock().Now() + absl::Seconds(1));
  const Answer answer = GiveUpWhileItWaits(call_, [&] { chain_.clock().Advance(absl::Milliseconds(1'001)); });
  EXPECT_THAT(answer.status, StatusIs(StatusCode::kDeadlineExceeded));
  ExpectNothingDoneAndTheTokenFree();
}

TEST_F(IdempotencyGivenUpTest, C19_ACallWithoutATokenIsNotExecutedEither) {
  EXPECT_THAT(GiveUpWhileItWaits(call_without_token_, [&] { call_without_token_.Cancel(); }).status,
              StatusIs(StatusCode::kCancelled));
  FakeCall late(service_.place_order(), OrderOf("pencil", ""));
  late.SetDeadline(chain_.clock().Now());
  EXPECT_THAT(GiveUpWhileItWaits(late, [&] { chain_.clock().Advance(absl::Nanoseconds(1)); }).status,
              StatusIs(StatusCode::kDeadlineExceeded));
  ExpectNothingDoneAndTheTokenFree();
}

TEST_F(IdempotencyGivenUpTest, ACallThatWaitsUntilItsDeadlineAndNoLongerIsExecuted) {
  call_.SetDeadline(chain_.clock().Now() + absl::Seconds(1));
  EXPECT_EQ(GiveUpWhileItWaits(call_, [&] { chain_.clock().Advance(absl::Seconds(1)); }).result, "executed");
}

TEST_F(IdempotencyGivenUpTest, C19_ACallThatIsGivenUpWhileItIsPreparedIsNotExecuted) {
  FakeCall call(service_.engrave_order(), OrderOf("pencil", "token"));
  service_.prepare_hook = [&](const CallContext&) {
    call.Cancel();
    return absl::OkStatus();
  };
  EXPECT_THAT(chain_.Call(call).status, StatusIs(StatusCode::kCancelled));
  ExpectNothingDoneAndTheTokenFree();
}

TEST_F(IdempotencyGivenUpTest, C15_WhatHasStartedIsFinishedThoughTheClientCancels) {
  service_.handler_hook = [&](const CallContext&, Transaction&) {
    call_.Cancel();
    return absl::OkStatus();
  };
  const Answer unread = chain_.Call(call_);
  service_.handler_hook = nullptr;
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
  const Answer retry = chain_.Call(service_.place_order(), OrderOf("pencil", "token"));
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, unread.bytes);
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyGivenUpTest, C15_WhatHasStartedIsFinishedThoughTheDeadlinePasses) {
  call_.SetDeadline(chain_.clock().Now() + absl::Seconds(1));
  service_.handler_hook = [&](const CallContext&, Transaction&) {
    chain_.clock().Advance(absl::Hours(1));
    return absl::OkStatus();
  };
  const Answer unread = chain_.Call(call_);
  service_.handler_hook = nullptr;
  const Answer retry = chain_.Call(service_.place_order(), OrderOf("pencil", "token"));
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, unread.bytes);
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

// Of duplicates that wait, the one that is given up makes no difference to the other.
TEST_F(IdempotencyGivenUpTest, C19_ADuplicateOfACallThatIsGivenUpIsExecuted) {
  FakeCall duplicate(service_.place_order(), OrderOf("pencil", "token"));
  const Answer answer = GiveUpWhileItWaits(call_, [&] {
    chain_.Run(duplicate);
    call_.Cancel();
  });
  EXPECT_THAT(answer.status, StatusIs(StatusCode::kCancelled));
  EXPECT_EQ(AnswerTo(duplicate).result, "executed");
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

}  // namespace
}  // namespace hapax
