#include "hapax/interceptors/idempotency/token_time.h"

#include <memory>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// The time by which tokens expire: it passes as real time does, whatever the wall clock says (C29).
namespace hapax {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kAlmostNothing = absl::Seconds(1);
constexpr absl::Duration kLife = absl::Hours(24 * 31);

class TokenTimeTest : public testing::Test {
 protected:
  TokenTimeTest() { Start(); }

  void Start(absl::Time passed = absl::InfinitePast()) {
    time_ = nullptr;
    store_ = nullptr;
    time_ = std::make_unique<TokenTime>(clock_);
    expiry_ = std::make_unique<TokenExpiry>(time_->durable());
    store_ = OpenRocksDbStore({.path = dir_.Path("data"), .expiry = expiry_.get()}).value();
    ASSERT_THAT(time_->Load(*store_, {.shortest_life = kLife, .passed = passed}), IsOk());
  }
  void Save() { ASSERT_THAT(time_->Save(*store_), IsOk()); }
  void PutToken(absl::Time executed_at) {
    store::v1::TokenRecord record;
    *record.mutable_executed_at() = ToTimestamp(executed_at);
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          hapax::PutToken(txn, {.tenant = "t", .region = "r", .zone = "", .token = "k"}, record);
                          return absl::OkStatus();
                        }),
                IsOk());
  }

  const TempDir dir_;
  ManualClock clock_;
  std::unique_ptr<TokenTime> time_;
  std::unique_ptr<TokenExpiry> expiry_;
  std::unique_ptr<Store> store_;
};

TEST_F(TokenTimeTest, IsTheClocksWhereThatIsRight) {
  EXPECT_EQ(time_->Now(), clock_.Now());
  clock_.Advance(40 * kDay);
  EXPECT_EQ(time_->Now(), clock_.Now());
  Start();
  EXPECT_EQ(time_->Now(), clock_.Now());
  EXPECT_EQ(time_->ClockAhead(), absl::ZeroDuration());
}

TEST_F(TokenTimeTest, C29_AClockThatRunsAheadMovesItNoFasterThanTimePasses) {
  const absl::Time before = time_->Now();
  clock_.Jump(40 * kDay);
  EXPECT_EQ(time_->Now(), before);
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(time_->Now(), before + absl::Hours(3));
  EXPECT_EQ(time_->ClockAhead(), 40 * kDay);
  clock_.Jump(-40 * kDay);
  EXPECT_EQ(time_->Now(), clock_.Now());
}

TEST_F(TokenTimeTest, C29_AClockThatIsSetBackHoldsItAndItGoesOnWhenThatIsRightAgain) {
  clock_.Advance(kDay);
  const absl::Time before = time_->Now();
  clock_.Jump(-kDay);
  EXPECT_EQ(time_->Now(), before);
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(time_->Now(), before);
  EXPECT_EQ(time_->ClockAhead(), absl::Hours(3) - kDay);
  EXPECT_EQ(time_->Latest(), before + absl::Hours(3)) << "so much has passed";
  clock_.Jump(kDay);
  EXPECT_EQ(time_->Now(), before + absl::Hours(3));
}

// Else the mark, which catches up when the clock is set right, would end that life early.
TEST_F(TokenTimeTest, C29_ALifeThatBeginsWhileTheClockIsBehindIsNoShorter) {
  EXPECT_EQ(time_->ForLife(clock_.Now()), clock_.Now());
  clock_.Jump(-kDay);
  clock_.Advance(absl::Hours(20));
  const absl::Time begin = time_->ForLife(clock_.Now());
  clock_.Advance(absl::Hours(1));
  clock_.Jump(kDay);
  EXPECT_EQ(time_->Now() - begin, absl::Hours(1));
  Start();
  EXPECT_EQ(time_->Now() - begin, absl::Hours(1));
  clock_.Jump(40 * kDay);
  EXPECT_EQ(time_->ForLife(clock_.Now()), time_->Now());
}

TEST_F(TokenTimeTest, C29_StartsWithAClockThatIsAheadMoveItNoFurtherThanTimePassed) {
  const absl::Time before = time_->Now();
  clock_.Jump(40 * kDay);
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(absl::Milliseconds(1'500));
    Start();
  }
  // Not even a little further: starts may be many within a token's life.
  EXPECT_LE(time_->Now(), before + absl::Seconds(15));
  EXPECT_LE(time_->durable().Now(), before + absl::Seconds(15));
}

TEST_F(TokenTimeTest, C29_AfterAStartOfTheMachineItBelievesAnHour) {
  const absl::Time before = time_->Now();
  clock_.Reboot();
  clock_.Jump(40 * kDay);
  Start();
  EXPECT_EQ(time_->Now(), before + absl::Hours(1));
}

TEST_F(TokenTimeTest, C29_BesideServersThatWriteItAStartOfAnotherMachineBelievesOnlyWhatIsTold) {
  const absl::Time before = time_->Now();
  ManualClock clock_ahead(clock_.Now() + 40 * kDay);
  clock_ahead.Reboot();
  for (int i = 1; i <= 3; ++i) {
    clock_ahead.Reboot();
    TokenTime ahead(clock_ahead);
    ASSERT_THAT(ahead.Load(*store_, {.shortest_life = kLife, .max_step_across_boots = absl::Minutes(1)}), IsOk());
    EXPECT_EQ(ahead.Now(), before + i * absl::Minutes(1));
  }
}

TEST_F(TokenTimeTest, C29_AStartWithAClockThatIsBehindGoesOnWhereItWas) {
  clock_.Advance(2 * kDay);
  Save();
  const absl::Time before = time_->Now();
  clock_.Jump(-50'000 * kDay);
  Start();
  EXPECT_EQ(time_->Now(), before);
  clock_.Jump(50'000 * kDay);
  clock_.Advance(kDay);
  EXPECT_EQ(time_->Now(), before + kDay);
}

TEST_F(TokenTimeTest, C29_WhatWasNotWrittenDownIsMadeUpForByWhatPassed) {
  clock_.Advance(3 * kDay);
  Start();  // Nothing was saved since the first.
  EXPECT_EQ(time_->Now(), clock_.Now());
}

TEST_F(TokenTimeTest, C29_DropsRowsOnlyAsFarAsItIsWrittenDown) {
  const absl::Time begin = clock_.Now();
  EXPECT_EQ(TokenTime(clock_).durable().Now(), absl::InfinitePast());
  EXPECT_EQ(time_->durable().Now(), begin);
  clock_.Advance(kDay);
  EXPECT_EQ(time_->Now(), begin + kDay);
  EXPECT_EQ(time_->durable().Now(), begin);
  Save();
  EXPECT_EQ(time_->durable().Now(), begin + kDay);
}

//   one server                    another, whose clock is behind
//   writes its mark
//                                 writes its own: the later one stays, and becomes its mark
TEST_F(TokenTimeTest, C29_OfServersThatShareAStoreNoneSetsItBack) {
  ManualClock clock_behind(clock_.Now() - absl::Hours(1));
  TokenTime behind(clock_behind);
  ASSERT_THAT(behind.Load(*store_, {.shortest_life = kLife}), IsOk());
  clock_.Advance(kDay);
  Save();
  ASSERT_THAT(behind.Save(*store_), IsOk());
  EXPECT_EQ(behind.Now(), clock_.Now());
  EXPECT_EQ(behind.durable().Now(), clock_.Now());
  clock_.Jump(-2 * kDay);
  Start();
  EXPECT_EQ(time_->Now(), behind.Now());
}

//   one server                    another, whose clock is behind
//   writes its mark
//                                 starts from that mark a while later, and begins the life of a token
//   judges that life by the time that passed
TEST_F(TokenTimeTest, C29_ALifeThatBeginsWhereTheClockWasBehindAtTheStartIsNoShorter) {
  clock_.Advance(absl::Seconds(50));
  ManualClock clock_behind(clock_.Now() - absl::Hours(1));
  clock_behind.Reboot();
  TokenTime behind(clock_behind);
  ASSERT_THAT(behind.Load(*store_, {.shortest_life = kLife, .max_step_across_boots = absl::Minutes(1)}), IsOk());
  EXPECT_GE(behind.ForLife(clock_behind.Now()), time_->Now());
  TokenTime right(clock_);
  ASSERT_THAT(right.Load(*store_, {.shortest_life = kLife, .max_step_across_boots = absl::Minutes(1)}), IsOk());
  EXPECT_GE(right.ForLife(clock_.Now()), time_->Now()) << "the start before left the mark of a while ago";
  for (ManualClock* clock : {&clock_, &clock_behind}) clock->Advance(3 * kDay);
  EXPECT_GE(behind.ForLife(clock_behind.Now()), time_->Now());
  clock_behind.Jump(absl::Hours(1));
  EXPECT_GE(behind.ForLife(clock_behind.Now()), time_->Now());
  EXPECT_LE(behind.ForLife(clock_behind.Now()), time_->Now() + absl::Minutes(1));
}

TEST_F(TokenTimeTest, AnOperatorMaySayThatTimeHasPassedAndTheClockMustAgree) {
  const absl::Time before = time_->Now();
  clock_.Reboot();
  clock_.Jump(21 * kDay);
  Start(before + 30 * kDay);
  EXPECT_EQ(time_->Now(), clock_.Now());
  Start(before + 30 * kDay);
  EXPECT_EQ(time_->Now(), clock_.Now()) << "it does no harm to say it again";
}

TEST_F(TokenTimeTest, C29_AStoreThatWasMadeWithTheClockAheadJudgesAgesByTheClockUntilItMayHaveForgotten) {
  const absl::Time right = clock_.Now();
  TokenTime time(clock_);
  const TempDir dir;
  const auto store = OpenRocksDbStore({.path = dir.Path("data")}).value();
  clock_.Jump(40 * kDay);
  ASSERT_THAT(time.Load(*store, {.shortest_life = kLife}), IsOk());
  clock_.Jump(-40 * kDay);
  EXPECT_EQ(time.Now(), right + 40 * kDay) << "it never goes back";
  EXPECT_EQ(time.ForAge(), right);
  EXPECT_FALSE(time.MayHaveForgotten());
}

TEST_F(TokenTimeTest, C29_WhereTokensMayBeForgottenAClockThatIsBehindMakesNoneYounger) {
  clock_.Advance(kLife);
  EXPECT_TRUE(time_->MayHaveForgotten());
  const absl::Time before = time_->Now();
  clock_.Jump(-40 * kDay);
  EXPECT_EQ(time_->ForAge(), before);
}

class OlderStoreTest : public TokenTimeTest {
 protected:
  // As an older version leaves it: no row, and a token that was executed then.
  void MakeOld(absl::Time executed_at) {
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          txn.Delete(Table::kMeta, KeyBuilder().String("token_time").Build());
                          return absl::OkStatus();
                        }),
                IsOk());
    PutToken(executed_at);
  }
};

TEST_F(OlderStoreTest, C29_BeginsAtItsNewestTokenWhateverTheClockSays) {
  const absl::Time executed_at = clock_.Now();
  MakeOld(executed_at);
  clock_.Jump(40 * kDay);
  Start();
  EXPECT_EQ(time_->Now(), executed_at + absl::Hours(1));
  EXPECT_TRUE(time_->MayHaveForgotten());
}

TEST_F(OlderStoreTest, C29_BeginsAtTheClockWhereThatIsBeforeItsNewestToken) {
  MakeOld(clock_.Now() + 40 * kDay);
  Start();
  EXPECT_EQ(time_->Now(), clock_.Now());
}

}  // namespace
}  // namespace hapax
