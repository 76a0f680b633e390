#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/store.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/storage/store_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// What store.h promises of transactions that wait, of every engine: their order, how many may, and that each is told.
namespace hapax {
namespace {

using absl::StatusCode;

class StoreWaitingTest : public StoreFixture {};

INSTANTIATE_TEST_SUITE_P(Engines, StoreWaitingTest, testing::ValuesIn(kStoreEngines), EngineName);

TEST_P(StoreWaitingTest, DoneMayStartTheNextTransaction) {
  TransactionOutcome second;
  store_->Execute(PutBody("key", "first"), [&](const absl::Status& status) {
    EXPECT_THAT(status, IsOk());
    store_->Execute(PutBody("key", "second"), second.Done());
  });
  EXPECT_THAT(second.Wait(), IsOk());
  EXPECT_EQ(CommittedValue("key"), "second");
}

TEST_P(StoreWaitingTest, EachDoneIsCalledOnceWhateverTheOutcome) {
  constexpr int kCount = 3'000;
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  std::vector<std::atomic<int>> calls(kCount);
  for (int i = 0; i < kCount; ++i) {
    store_->Execute([i](Transaction& txn) { return i % 3 == 0 ? absl::NotFoundError("no") : Increment(txn); },
                    [&calls, i](const absl::Status& status) {
                      EXPECT_EQ(status.code(), i % 3 == 0 ? StatusCode::kNotFound : StatusCode::kOk);
                      ++calls[i];
                    });
  }
  blocked.Release();
  store_.reset();
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(calls[i], 1) << i;
  EXPECT_THAT(blocked_outcome.Wait(), IsOk());
}

TEST_P(StoreWaitingTest, TheDestructorCommitsWhatWaits) {
  constexpr int kCount = 100;
  std::vector<TransactionOutcome> outcomes(kCount);
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  for (TransactionOutcome& outcome : outcomes) store_->Execute(Increment, outcome.Done());
  blocked.Release();
  store_.reset();
  for (const TransactionOutcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.settled());
    EXPECT_THAT(outcome.Wait(), IsOk());
  }
  Open({});
  EXPECT_EQ(CommittedValue("counter"), absl::StrCat(kCount));
}

TEST_P(StoreWaitingTest, OfOnePartyTheFirstComesFirst) {
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  std::vector<TransactionOutcome> outcomes(20);
  std::string expected;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const std::string number = absl::StrCat(i, " ");
    store_->Execute(AppendBody("order", number), outcomes[i].Done(), "party");
    expected += number;
  }
  blocked.Release();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(CommittedValue("order"), expected);
}

TEST_P(StoreWaitingTest, PartiesTakeTurnsHoweverManyOfOneWait) {
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  blocked.WaitUntilStarted();
  std::vector<TransactionOutcome> many(50);
  for (const TransactionOutcome& outcome : many) store_->Execute(AppendBody("order", "m"), outcome.Done(), "many");
  TransactionOutcome one;
  store_->Execute(AppendBody("order", "1"), one.Done(), "one");
  blocked.Release();
  EXPECT_THAT(one.Wait(), IsOk());
  for (const TransactionOutcome& outcome : many) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_LT(CommittedValue("order").find('1'), many.size() / 2);
}

TEST_P(StoreWaitingTest, OneTooManyThatWaitIsRefusedAndNotRunAndReadsAreNotRefused) {
  Open({.max_waiting = 4});
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  blocked.WaitUntilStarted();
  std::vector<TransactionOutcome> outcomes(10);
  std::vector<std::atomic<bool>> was_run(outcomes.size());
  for (size_t i = 0; i < outcomes.size(); ++i) {
    store_->Execute(
        [&was_run, i](Transaction&) {
          was_run[i] = true;
          return absl::OkStatus();
        },
        outcomes[i].Done(), "greedy");
  }
  TransactionOutcome other;
  store_->Execute(PutBody("key", "value"), other.Done(), "other");
  EXPECT_EQ(CommittedValue("key"), "none");
  blocked.Release();
  EXPECT_THAT(other.Wait(), IsOk()) << "one party does not take all the places";
  int refused = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const absl::Status status = outcomes[i].Wait();
    EXPECT_EQ(was_run[i].load(), status.ok());
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    ++refused;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace hapax
