#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/tests/interceptors/durable_chain.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/token_made_at.h"

// No clock makes a token free (C29): the chain and its store, with the time that a server keeps, under clocks that
// jump.
namespace hapax {
namespace {

using testing::AnyOf;
using testing::ElementsAre;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kStart = absl::Milliseconds(1'500);

class IdempotencyClockTest : public testing::Test {
 protected:
  IdempotencyClockTest() { Start(); }

  void Start() {
    chain_ = nullptr;
    store_ = nullptr;
    time_ = std::make_unique<TokenTime>(clock_);
    expiry_ = std::make_unique<TokenExpiry>(time_->durable());
    store_ = OpenRocksDbStore({.path = dir_.Path("data"), .expiry = expiry_.get()}).value();
    EXPECT_THAT(time_->Load(*store_, {.shortest_life = policy_.retention + policy_.tombstone_retention}), IsOk());
    chain_ = std::make_unique<TestChain>(
        *store_, TestChain::Options{.policy = policy_, .clock = &clock_, .token_time = time_.get()});
  }
  // A start in which all is compacted that can be, and nobody calls.
  void StartAndCompact() {
    Start();
    clock_.Advance(kStart);
    EXPECT_THAT(time_->Save(*store_), IsOk());
    EXPECT_THAT(store_->Compact(), IsOk());
  }
  Answer Place(const std::string& item, const std::string& token) {
    return chain_->Call(service_.place_order(), OrderOf(item, token));
  }
  void ExpectReplays(const Answer& first, const std::string& item, const std::string& token) {
    const Answer retry = Place(item, token);
    EXPECT_EQ(retry.result, "replayed");
    EXPECT_EQ(retry.bytes, first.bytes);
  }

  const TempDir dir_;
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  TestService service_;
  TokenPolicy policy_;
  std::unique_ptr<TokenTime> time_;
  std::unique_ptr<TokenExpiry> expiry_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<TestChain> chain_;
  int calls_ = 0;
};

TEST_F(IdempotencyClockTest, C29_AheadForOneStartForgetsNothing) {
  const std::string uuid = TokenMadeAt(clock_.Now());
  const Answer plain = Place("pencil", "token");
  const Answer aged = Place("pen", uuid);
  for (const bool reboot : {false, true}) {
    if (reboot) clock_.Reboot();
    clock_.Jump(40 * kDay);
    StartAndCompact();
    ExpectReplays(plain, "pencil", "token");
    clock_.Jump(-40 * kDay);
    StartAndCompact();
    ExpectReplays(plain, "pencil", "token");
    ExpectReplays(aged, "pen", uuid);
  }
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil", "2 pen"));
}

TEST_F(IdempotencyClockTest, C29_AheadWhileItRunsForgetsNothingEither) {
  const std::string uuid = TokenMadeAt(clock_.Now());
  const Answer plain = Place("pencil", "token");
  const Answer aged = Place("pen", uuid);
  for (const absl::Duration jump : {absl::Hours(25), 40 * kDay, 4'000 * kDay, -4'065 * kDay}) {
    clock_.Jump(jump);
    EXPECT_THAT(time_->Save(*store_), IsOk());
    EXPECT_THAT(store_->Compact(), IsOk());
    ExpectReplays(plain, "pencil", "token");
    ExpectReplays(aged, "pen", uuid);
  }
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil", "2 pen"));
}

TEST_F(IdempotencyClockTest, C29_StartAfterStartOfTheMachineWithTheClockAheadExpiresNothingThatIsYoung) {
  const Answer first = Place("pencil", "token");
  clock_.Jump(40 * kDay);
  for (int i = 0; i < 20; ++i) {
    clock_.Reboot();
    StartAndCompact();
  }
  ExpectReplays(first, "pencil", "token");
}

TEST_F(IdempotencyClockTest, C29_WhatHasExpiredStaysExpiredWithAClockThatIsSetBack) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  clock_.Advance(kDay);
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
  EXPECT_THAT(time_->Save(*store_), IsOk());
  EXPECT_THAT(store_->Compact(), IsOk());
  for (const absl::Duration jump : {-absl::Hours(1), -kDay, -10'000 * kDay}) {
    clock_.Jump(jump);
    EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
    StartAndCompact();
    EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
    EXPECT_EQ(Place("pen", "token").result, "CLIENT_TOKEN_EXPIRED");
  }
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyClockTest, C29_WhatWasToldToHaveExpiredStaysSoThroughACrashAndAClockThatIsSetBack) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  clock_.Advance(kDay);
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
  clock_.Jump(-absl::Hours(1));
  Start();  // The time that has passed was not saved.
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
}

//   a server that is ahead        another
//                                 replays
//   tells that it has expired
//                                 its time for that has not come
TEST_F(IdempotencyClockTest, C30_WhatOneServerToldToHaveExpiredNoOtherReplays) {
  const Answer first = Place("pencil", "token");
  ManualClock ahead_clock(clock_.Now() + absl::Minutes(1));
  const TokenTime ahead_time(ahead_clock);
  const TestChain ahead(*store_,
                        TestChain::Options{.policy = policy_, .clock = &ahead_clock, .token_time = &ahead_time});
  const auto place_ahead = [&] { return ahead.Call(service_.place_order(), OrderOf("pencil", "token")).result; };
  for (ManualClock* const each : {&clock_, &ahead_clock}) each->Advance(kDay - absl::Seconds(30));
  ExpectReplays(first, "pencil", "token");
  EXPECT_EQ(place_ahead(), "CLIENT_TOKEN_EXPIRED");
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
  EXPECT_EQ(place_ahead(), "CLIENT_TOKEN_EXPIRED");
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyClockTest, C29_AForgottenUuidIsRefusedByItsAgeWithAClockThatIsSetBack) {
  const std::string uuid = TokenMadeAt(clock_.Now());
  ASSERT_EQ(Place("pencil", uuid).result, "executed");
  clock_.Advance(32 * kDay);
  StartAndCompact();
  EXPECT_EQ(Place("pencil", uuid).result, "CLIENT_TOKEN_EXPIRED");
  for (const absl::Duration jump : {-absl::Hours(1), -32 * kDay, -10'000 * kDay}) {
    clock_.Jump(jump);
    EXPECT_EQ(Place("pencil", uuid).result, "CLIENT_TOKEN_EXPIRED");
    StartAndCompact();
    EXPECT_EQ(Place("pencil", uuid).result, "CLIENT_TOKEN_EXPIRED");
  }
}

TEST_F(IdempotencyClockTest, C29_WhatIsExecutedUnderAWrongClockLivesAsLongAsAnythingElse) {
  for (const absl::Duration jump : {40 * kDay, -80 * kDay}) {
    clock_.Jump(jump);
    const std::string token = absl::FormatDuration(jump);
    const Answer first = Place("pencil", token);
    ASSERT_EQ(first.result, "executed");
    clock_.Advance(kDay - absl::Seconds(1));
    ExpectReplays(first, "pencil", token);
    clock_.Jump(-jump);
    ExpectReplays(first, "pencil", token);
    clock_.Advance(31 * kDay);
    EXPECT_THAT(time_->Save(*store_), IsOk());
    EXPECT_THAT(store_->Compact(), IsOk());
    EXPECT_THAT(Place("pen", token).result, AnyOf("executed", "CLIENT_TOKEN_EXPIRED"));
  }
}

TEST_F(IdempotencyClockTest, C29_WhatIsExecutedAfterLongWithTheClockBehindIsNotExpiredWhenThatIsSetRight) {
  clock_.Jump(-80 * kDay);
  clock_.Advance(40 * kDay);
  const Answer first = Place("pencil", "token");
  ASSERT_EQ(first.result, "executed");
  clock_.Jump(80 * kDay);
  ExpectReplays(first, "pencil", "token");
  StartAndCompact();
  ExpectReplays(first, "pencil", "token");
  clock_.Advance(kDay);
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
}

TEST_F(IdempotencyClockTest, C29_AFreshUuidIsExecutedWhateverTheClockSays) {
  const auto fresh = [this](absl::Time real) { return TokenMadeAt(real, ++calls_); };
  absl::Time real = clock_.Now();
  for (const absl::Duration jump : {40 * kDay, -80 * kDay, 40 * kDay}) {
    clock_.Jump(jump);
    EXPECT_EQ(Place("pencil", fresh(real)).result, "executed") << jump;
  }
  clock_.Jump(-40 * kDay);
  Start();
  EXPECT_EQ(Place("pencil", fresh(real)).result, "executed") << "after a start";
}

// A first start with a clock ahead: then that is set right.
TEST_F(IdempotencyClockTest, C29_AStoreThatWasMadeAheadTakesFreshUuids) {
  const TempDir dir;
  const absl::Time real = clock_.Now();
  clock_.Jump(40 * kDay);
  TokenTime time(clock_);
  const TokenExpiry expiry(time.durable());
  const auto store = OpenRocksDbStore({.path = dir.Path("data"), .expiry = &expiry}).value();
  ASSERT_THAT(time.Load(*store, {.shortest_life = 31 * kDay}), IsOk());
  const TestChain chain(*store, TestChain::Options{.clock = &clock_, .token_time = &time});
  const auto place = [&](const std::string& token) {
    return chain.Call(service_.place_order(), OrderOf("pencil", token)).result;
  };
  EXPECT_EQ(place("plain"), "executed");
  clock_.Jump(-40 * kDay);
  const std::string uuid = TokenMadeAt(real);
  EXPECT_EQ(place(uuid), "executed");
  EXPECT_EQ(place(uuid), "replayed");
  EXPECT_EQ(place("plain"), "replayed");
  EXPECT_EQ(place(TokenMadeAt(real - 2 * kDay)), "CLIENT_TOKEN_EXPIRED");
  clock_.Advance(30 * kDay);
  EXPECT_THAT(place(uuid), AnyOf("replayed", "CLIENT_TOKEN_EXPIRED"));
}

TEST_F(IdempotencyClockTest, C29_AUuidFromFurtherAheadThanADayIsRefusedWithItsReasonAndLeavesNothing) {
  const std::string far = "ffffffff-ffff-7fff-bfff-ffffffffffff";
  for (const std::string& token : {far, TokenMadeAt(clock_.Now() + kDay + absl::Seconds(1))}) {
    const Answer answer = Place("pencil", token);
    EXPECT_THAT(answer.status, HasReason(Reason::kInvalidClientToken));
    EXPECT_EQ(VerdictOf(answer.status), RetryVerdict::kNever);
  }
  EXPECT_EQ(service_.runs(), 0);
  const std::string near = TokenMadeAt(clock_.Now() + kDay);
  const Answer first = Place("pencil", near);
  EXPECT_EQ(first.result, "executed");
  clock_.Jump(-kDay);
  ExpectReplays(first, "pencil", near);
}

}  // namespace
}  // namespace hapax
