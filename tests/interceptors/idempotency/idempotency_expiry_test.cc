#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/durable_chain.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/token_made_at.h"

// How long a token protects (C17). When a compaction runs, or the server is started again, makes no difference:
// every test is run with and without.
namespace hapax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kTick = absl::Microseconds(1);

class IdempotencyExpiryTest : public DurableChainTest, public testing::WithParamInterface<Upkeep> {
 protected:
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    Do(GetParam());
  }
};

TEST_P(IdempotencyExpiryTest, C17_BeforeTheRecordExpiresARetryIsReplayed) {
  const Answer first = Place("pencil", "token");
  Pass(kDay - kTick);
  const Answer retry = Place("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
}

TEST_P(IdempotencyExpiryTest, C17_FromThenOnARetryIsRefusedAndNothingIsDone) {
  ASSERT_EQ(Place("pencil", "client-token").result, "executed");
  Pass(kDay);
  const Answer retry = Place("pencil", "client-token");
  EXPECT_THAT(retry.status, HasReason(Reason::kClientTokenExpired));
  EXPECT_EQ(VerdictOf(retry.status), RetryVerdict::kNewToken);
  EXPECT_THAT(EverythingIn(retry.status), Not(HasSubstr("client-token")));
  EXPECT_EQ(service_.runs(), 1);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_P(IdempotencyExpiryTest, C17_ARefusedRetryMakesTheTokenNoYounger) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  for (int day = 0; day < 30; ++day) {
    Pass(kDay);
    EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
  }
  Pass(kDay);
  EXPECT_EQ(Place("pencil", "token").result, "executed");
}

TEST_P(IdempotencyExpiryTest, C17_AReplayMakesTheTokenNoYoungerEither) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  Pass(absl::Hours(23));
  EXPECT_EQ(Place("pencil", "token").result, "replayed");
  Pass(absl::Hours(1));
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
}

TEST_P(IdempotencyExpiryTest, C17_TheTombstoneRefusesToItsEndThenAPlainTokenExecutesAgain) {
  const Answer first = Place("pencil", "token");
  Pass(kDay);
  Pass(30 * kDay - kTick);
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
  Pass(kTick);
  const Answer again = Place("pen", "token");
  EXPECT_EQ(again.result, "executed");
  EXPECT_THAT(Orders(), ElementsAre("1 pencil", "2 pen"));
  Pass(kDay - kTick);
  const Answer retry = Place("pen", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, again.bytes);
  EXPECT_NE(retry.bytes, first.bytes);
}

TEST_P(IdempotencyExpiryTest, C17_AUuidOfVersion7IsRefusedForEver) {
  const std::string token = TokenMadeAt(clock_.Now());
  ASSERT_EQ(Place("pencil", token).result, "executed");
  Pass(kDay);
  for (const absl::Duration time : {absl::ZeroDuration(), 30 * kDay, kDay, 365 * kDay, 20 * 365 * kDay}) {
    Pass(time);
    EXPECT_EQ(Place("pencil", token).result, "CLIENT_TOKEN_EXPIRED") << time;
  }
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_P(IdempotencyExpiryTest, C17_AUuidOfVersion7ThatWasNeverSeenIsRefusedByItsAge) {
  const std::string old = TokenMadeAt(clock_.Now(), 1);
  const std::string young = TokenMadeAt(clock_.Now() + absl::Milliseconds(1), 2);
  Pass(kDay);
  EXPECT_EQ(Place("pencil", old).result, "CLIENT_TOKEN_EXPIRED");
  EXPECT_EQ(Place("pen", young).result, "executed");
  EXPECT_THAT(Orders(), ElementsAre("1 pen"));
}

// Its record decides for as long as there is one: a retry of what was just executed is not refused by the age.
TEST_P(IdempotencyExpiryTest, C17_AUuidOfVersion7ThatIsUsedLateProtectsForAsLongAsAnyOther) {
  const std::string token = TokenMadeAt(clock_.Now());
  Pass(absl::Hours(23));
  const Answer first = Place("pencil", token);
  ASSERT_EQ(first.result, "executed");
  Pass(kDay - kTick);
  const Answer retry = Place("pencil", token);
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
  Pass(kTick);
  EXPECT_EQ(Place("pencil", token).result, "CLIENT_TOKEN_EXPIRED");
}

// The clock of the client that made it was wrong. It must not be forgotten before its own word refuses it.
TEST_P(IdempotencyExpiryTest, C17_AUuidOfVersion7FromTheFutureIsRefusedForEverToo) {
  RestartWith({.retention = kDay, .tombstone_retention = absl::ZeroDuration()});
  const std::string token = TokenMadeAt(clock_.Now() + absl::Hours(23));
  ASSERT_EQ(Place("pencil", token).result, "executed");
  Pass(kDay - kTick);
  EXPECT_EQ(Place("pencil", token).result, "replayed");
  Pass(kTick);
  for (const absl::Duration time : {absl::ZeroDuration(), absl::Hours(23) - kTick, kTick, kDay, 365 * kDay}) {
    Pass(time);
    EXPECT_EQ(Place("pencil", token).result, "CLIENT_TOKEN_EXPIRED") << time;
  }
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_P(IdempotencyExpiryTest, C17_OtherParametersAreAMismatchBeforeAndExpiredAfter) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  Pass(kDay - kTick);
  EXPECT_EQ(Place("eraser", "token").result, "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(Call(service_.engrave_order(), "pencil", "token").result, "IDEMPOTENT_PARAMETER_MISMATCH");
  Pass(kTick);
  EXPECT_EQ(Place("eraser", "token").result, "CLIENT_TOKEN_EXPIRED");
  EXPECT_EQ(Call(service_.engrave_order(), "pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_P(IdempotencyExpiryTest, C17_AMethodsOwnRetentionIsTheMethodsAlone) {
  ASSERT_EQ(Call(service_.hasten_order(), "pencil", "hastened").result, "executed");
  ASSERT_EQ(Place("pen", "placed").result, "executed");
  Pass(absl::Hours(1) - kTick);
  EXPECT_EQ(Call(service_.hasten_order(), "pencil", "hastened").result, "replayed");
  Pass(kTick);
  EXPECT_EQ(Call(service_.hasten_order(), "pencil", "hastened").result, "CLIENT_TOKEN_EXPIRED");
  EXPECT_EQ(Place("pen", "placed").result, "replayed");
  Pass(30 * kDay - kTick);
  EXPECT_EQ(Call(service_.hasten_order(), "pencil", "hastened").result, "CLIENT_TOKEN_EXPIRED");
  Pass(kTick);
  EXPECT_EQ(Call(service_.hasten_order(), "pencil", "hastened").result, "executed");
  EXPECT_EQ(Place("pen", "placed").result, "CLIENT_TOKEN_EXPIRED");
}

TEST_P(IdempotencyExpiryTest, C17_AMethodsOwnRetentionIsTheAgeAtWhichItRefusesAUuid) {
  const std::string token = TokenMadeAt(clock_.Now(), 1);
  const std::string hastened = TokenMadeAt(clock_.Now(), 2);
  Pass(absl::Hours(1));
  EXPECT_EQ(Call(service_.hasten_order(), "pencil", hastened).result, "CLIENT_TOKEN_EXPIRED");
  EXPECT_EQ(Place("pen", token).result, "executed");
}

TEST_P(IdempotencyExpiryTest, C17_AUuidThatAMethodOfAShorterRetentionForgotIsExecutedByNoOther) {
  RestartWith({.retention = kDay, .tombstone_retention = absl::Hours(1)});
  const std::string token = TokenMadeAt(clock_.Now());
  ASSERT_EQ(Call(service_.hasten_order(), "pencil", token).result, "executed");
  for (int hour = 0; hour < 30; ++hour) {
    Pass(absl::Hours(1));
    EXPECT_EQ(Place("pen", token).result, "CLIENT_TOKEN_EXPIRED") << "after " << hour + 1 << " h";
  }
}

TEST_P(IdempotencyExpiryTest, C17_ShorterTimesShortenNothingThatWasPromised) {
  const Answer first = Place("pencil", "token");
  RestartWith({.retention = absl::Hours(1), .tombstone_retention = absl::Hours(1)});
  Pass(kDay - kTick);
  const Answer retry = Place("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
  Pass(kTick);
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
  Pass(30 * kDay - kTick);
  EXPECT_EQ(Place("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
}

TEST_P(IdempotencyExpiryTest, C17_LongerTimesAreForWhatIsExecutedFromThenOn) {
  RestartWith({.retention = absl::Hours(1), .tombstone_retention = absl::Hours(1)});
  ASSERT_EQ(Place("pencil", "before").result, "executed");
  RestartWith({.retention = 2 * kDay, .tombstone_retention = 2 * kDay});
  ASSERT_EQ(Place("pen", "after").result, "executed");
  Pass(absl::Hours(1));
  EXPECT_EQ(Place("pencil", "before").result, "CLIENT_TOKEN_EXPIRED");
  Pass(absl::Hours(1));
  EXPECT_EQ(Place("pencil", "before").result, "executed");
  Pass(2 * kDay - absl::Hours(2) - kTick);
  EXPECT_EQ(Place("pen", "after").result, "replayed");
}

TEST_P(IdempotencyExpiryTest, C17_WithoutATombstoneAPlainTokenIsForgottenAtOnceAndAUuidIsNot) {
  RestartWith({.retention = kDay, .tombstone_retention = absl::ZeroDuration()});
  const std::string uuid = TokenMadeAt(clock_.Now());
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  ASSERT_EQ(Place("pen", uuid).result, "executed");
  Pass(kDay);
  EXPECT_EQ(Place("pencil", "token").result, "executed");
  EXPECT_EQ(Place("pen", uuid).result, "CLIENT_TOKEN_EXPIRED");
}

INSTANTIATE_TEST_SUITE_P(, IdempotencyExpiryTest, testing::ValuesIn(kAllUpkeep), NameOfUpkeep);

}  // namespace
}  // namespace hapax
