#include "hapax/client/hapaxctl/output/exit_code.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::ctl {
namespace {

using client::CallInfo;
using client::Verdict;

constexpr bool kChanges = true;
constexpr bool kReads = false;

const absl::Status kError = absl::UnavailableError("");

TEST(ExitCodeOf, Success) { EXPECT_EQ(ExitCodeOf(absl::OkStatus(), {.attempts = 1}, kChanges), ExitCode::kDone); }

TEST(ExitCodeOf, NothingWasSent) {
  EXPECT_EQ(ExitCodeOf(kError, {.attempts = 0}, kChanges), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError(""), {.attempts = 0}, kChanges), ExitCode::kNotNow);
}

TEST(ExitCodeOf, FollowsTheServersVerdict_C27) {
  const auto code = [](Verdict verdict) {
    return ExitCodeOf(kError, {.attempts = 1, .settled = true, .verdict = verdict}, kChanges);
  };
  EXPECT_EQ(code(Verdict::kNever), ExitCode::kRefused);
  EXPECT_EQ(code(Verdict::kNewToken), ExitCode::kTokenUsedUp);
  EXPECT_EQ(code(Verdict::kSameToken), ExitCode::kNotNow);
}

TEST(ExitCodeOf, WhatWasExecutedUnprotectedIsNotToBeRunAgain) {
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError(""), {.attempts = 1, .settled = true, .unprotected_reply = ""},
                       kChanges),
            ExitCode::kTokenUsedUp);
}

TEST(ExitCodeOf, WhatIsNotSettledIsOpenUnlessItOnlyReads) {
  for (const Verdict verdict : {Verdict::kSameToken, Verdict::kUnsaid}) {
    const CallInfo info{.attempts = 2, .settled = false, .verdict = verdict};
    EXPECT_EQ(ExitCodeOf(kError, info, kChanges), ExitCode::kOpen);
    EXPECT_EQ(ExitCodeOf(kError, info, kReads), ExitCode::kNotNow);
  }
}

TEST(ExitCodeOf, ARefusalSaysNothingOfAnEarlierAttemptThatWasNotAnswered) {
  const auto code = [](int attempts) {
    return ExitCodeOf(kError, {.attempts = attempts, .settled = false, .verdict = Verdict::kNever}, kChanges);
  };
  EXPECT_EQ(code(1), ExitCode::kRefused);
  EXPECT_EQ(code(2), ExitCode::kOpen);
}

TEST(ExitCodeOf, WithoutAVerdictTheCodeDecides) {
  const CallInfo once{.attempts = 1};
  EXPECT_EQ(ExitCodeOf(absl::UnimplementedError(""), once, kChanges), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError(""), once, kChanges), ExitCode::kOpen);
}

TEST(Worst, AnOpenOutcomeGoesBeforeAll) {
  EXPECT_EQ(Worst(ExitCode::kOpen, ExitCode::kRefused), ExitCode::kOpen);
  EXPECT_EQ(Worst(ExitCode::kDone, ExitCode::kNotNow), ExitCode::kNotNow);
}

TEST(ExitCodeHelp, HasALineForEachCode) {
  for (int code = 0; code <= static_cast<int>(ExitCode::kOpen); ++code) {
    EXPECT_THAT(ExitCodeHelp(), ::testing::HasSubstr("\n  " + std::to_string(code) + "  "));
  }
}

}  // namespace
}  // namespace hapax::ctl
