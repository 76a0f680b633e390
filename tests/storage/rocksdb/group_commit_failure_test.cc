#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/file_size_limit.h"
#include "hapax/tests/support/log_lines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// What becomes of transactions, and of the store, when the disk fails.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;

constexpr Table kTable = Table::kResources;

// Puts two rows, which are there together or not at all.
Store::Body PutPair(std::string key, size_t value_size = 10) {
  return [key = std::move(key), value_size](Transaction& txn) {
    txn.Put(kTable, key + " 1", std::string(value_size, 'v'));
    txn.Put(kTable, key + " 2", std::string(value_size, 'v'));
    return absl::OkStatus();
  };
}

class GroupCommitFailureTest : public testing::Test {
 protected:
  GroupCommitFailureTest() { Open(); }

  void Open() {
    auto store = OpenRocksDbStore({.path = dir_.Path("data"), .log = log_.Sink()});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  // The keys that are there, durably. After a failure the directory is opened afresh some time: only then
  // they cannot be read.
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    const auto read = [&](const ReadTransaction& txn) {
      return txn.Scan(kTable, KeyRange(), [&](std::string_view key, std::string_view) {
        keys.emplace_back(key);
        return true;
      });
    };
    absl::Status status;
    do {
      status = Query(*store_, read);
    } while (absl::IsUnavailable(status));
    EXPECT_THAT(status, IsOk());
    return keys;
  }

  // The disk works again, after the pair "before" was acknowledged and the pair "failed" was not.
  void ExpectNothingAcknowledgedIsLostAndNothingElseComes() {
    log_.WaitFor("writes resumed");
    EXPECT_THAT(Keys(), ElementsAre("before 1", "before 2"));
    EXPECT_THAT(Execute(*store_, PutPair("next")), IsOk());
    const std::vector<std::string> acknowledged = {"before 1", "before 2", "next 1", "next 2"};
    EXPECT_EQ(Keys(), acknowledged);
    store_.reset();
    Open();
    EXPECT_EQ(Keys(), acknowledged);
    EXPECT_THAT(Execute(*store_, PutPair("reopened")), IsOk());
  }

  const TempDir dir_;
  const LogLines log_;
  std::unique_ptr<Store> store_;
  ControlledDisk disk_;  // The last, so that it lets go of what it holds before others wait for that.
};

TEST_F(GroupCommitFailureTest, AFailedSyncMakesWhoOnlyReadFromItUnavailableToo) {
  ASSERT_THAT(Execute(*store_, PutPair("before")), IsOk());
  bool hook_ran = false;
  const auto read_failed = [&](const absl::Status& result) -> Store::Body {
    return [&hook_ran, result](Transaction& txn) {
      EXPECT_THAT(txn.Get(kTable, "failed 1"), IsOkAndHolds(Optional(testing::_)));
      txn.OnCommit([&] { hook_ran = true; });
      return result;
    };
  };
  disk_.Hold();
  TransactionOutcome failed;
  store_->Execute(PutPair("failed"), failed.Done());
  disk_.WaitUntilHeld();
  const std::vector<TransactionOutcome> readers(3);
  store_->Execute(read_failed(absl::OkStatus()), readers[0].Done());
  store_->Execute(read_failed(absl::NotFoundError("the body's own")), readers[1].Done());
  BlockedBody blocked;
  store_->Execute(blocked.Body(), readers[2].Done());
  blocked.WaitUntilStarted();  // Those before it have run.
  disk_.Fail();
  EXPECT_THAT(failed.Wait(), StatusIs(StatusCode::kUnavailable));
  disk_.Work();
  blocked.Release();
  for (const TransactionOutcome& reader : readers) EXPECT_THAT(reader.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_FALSE(hook_ran);
  EXPECT_THAT(Keys(), ElementsAre("before 1", "before 2"));
}

TEST_F(GroupCommitFailureTest, AFailedSyncLeavesNothingOfTheGroupThatFollowsItEither) {
  disk_.Hold();
  TransactionOutcome failed;
  store_->Execute(PutPair("failed"), failed.Done());
  disk_.WaitUntilHeld();
  TransactionOutcome next;
  store_->Execute(PutPair("next"), next.Done());
  TransactionOutcome last;
  BlockedBody blocked;
  store_->Execute(blocked.Body(), last.Done());
  blocked.WaitUntilStarted();
  disk_.Fail();
  EXPECT_THAT(failed.Wait(), StatusIs(StatusCode::kUnavailable));
  disk_.Work();
  blocked.Release();
  EXPECT_THAT(next.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(last.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(GroupCommitFailureTest, EveryTransactionOfAFailedGroupIsUnavailable) {
  BlockedBody blocked;  // Gathers the others behind it: they become one group.
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  blocked.WaitUntilStarted();
  std::vector<TransactionOutcome> outcomes(20);
  for (size_t i = 0; i < outcomes.size(); ++i) store_->Execute(PutPair(absl::StrCat(i)), outcomes[i].Done());
  disk_.Fail();
  blocked.Release();
  EXPECT_THAT(blocked_outcome.Wait(), IsOk());  // It wrote nothing.
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(GroupCommitFailureTest, WhoComesAfterTheFailureWasToldDoesNotReadItAndSucceeds) {
  disk_.Fail();
  ASSERT_THAT(Execute(*store_, PutPair("failed")), StatusIs(StatusCode::kUnavailable));
  absl::StatusOr<std::optional<std::string>> seen;
  EXPECT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        seen = txn.Get(kTable, "failed 1");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(seen, IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(GroupCommitFailureTest, AfterAFailedSyncNothingAcknowledgedIsLost) {
  ASSERT_THAT(Execute(*store_, PutPair("before")), IsOk());
  disk_.Fail();
  ASSERT_THAT(Execute(*store_, PutPair("failed")), StatusIs(StatusCode::kUnavailable));
  disk_.Work();
  ExpectNothingAcknowledgedIsLostAndNothingElseComes();
}

TEST_F(GroupCommitFailureTest, AfterAHalfWrittenGroupNothingAcknowledgedIsLost) {
  ASSERT_THAT(Execute(*store_, PutPair("before")), IsOk());
  {
    constexpr size_t kLimitBytes = size_t{1} << 20;
    FileSizeLimit limit(kLimitBytes);
    ASSERT_THAT(Execute(*store_, PutPair("failed", kLimitBytes)), StatusIs(StatusCode::kUnavailable));
  }
  ExpectNothingAcknowledgedIsLostAndNothingElseComes();
}

TEST_F(GroupCommitFailureTest, AfterAFullDiskNothingAcknowledgedIsLost) {
  ASSERT_THAT(Execute(*store_, PutPair("before")), IsOk());
  {
    FileSizeLimit full(0);
    ASSERT_THAT(Execute(*store_, PutPair("failed")), StatusIs(StatusCode::kUnavailable));
    EXPECT_THAT(Keys(), ElementsAre("before 1", "before 2"));
  }
  ExpectNothingAcknowledgedIsLostAndNothingElseComes();
}

}  // namespace
}  // namespace hapax
