#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/log_lines.h"
#include "hapax/tests/support/small_disk.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/test_seed.h"

// A disk that is really full (C18).
namespace hapax {
namespace {

using absl::StatusCode;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

constexpr Table kTable = Table::kTokens;
constexpr size_t kDiskBytes = size_t{32} << 20;

class FullDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "no small disk here: " << disk_.why_not();
    Open();
  }

  void Open() {
    store_.reset();
    auto engine = RocksDbEngine::Open({.path = disk_.Path("data"),
                                       .write_buffer_bytes = size_t{1} << 20,
                                       .log = log_.Sink(),
                                       .probe_interval = absl::Milliseconds(10)});
    ASSERT_THAT(engine, IsOk());
    store_ = MakeRocksDbStore(*std::move(engine), /*max_waiting=*/100);
  }

  // Commits the next row, of so many bytes; it is expected to stay when that succeeds.
  absl::Status Commit(size_t bytes) {
    std::string key = absl::StrCat(absl::Dec(next_++, absl::kZeroPad8));
    const absl::Status status = Execute(*store_, [&](Transaction& txn) {
      txn.Put(kTable, key, std::string(bytes, 'v'));
      return absl::OkStatus();
    });
    if (status.ok()) acknowledged_.push_back(std::move(key));
    return status;
  }

  // The keys that are there; waits while the directory is opened afresh.
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

  // Deletes all rows, once that is possible.
  void DeleteAll() {
    absl::Status status;
    do {
      status = Execute(*store_, [&](Transaction& txn) {
        for (const std::string& key : acknowledged_) txn.Delete(kTable, key);
        return absl::OkStatus();
      });
    } while (absl::IsUnavailable(status));
    EXPECT_THAT(status, IsOk());
    acknowledged_.clear();
  }

  // Commits until the disk is full.
  void CommitUntilUnavailable(size_t bytes) {
    absl::Status status;
    while (status.ok()) status = Commit(bytes);
    EXPECT_THAT(status, StatusIs(StatusCode::kUnavailable));
  }

  const SmallDisk disk_{kDiskBytes};
  const LogLines log_;
  int next_ = 0;
  std::vector<std::string> acknowledged_;
  std::unique_ptr<Store> store_;
};

TEST_F(FullDiskTest, C18_WritesAreRefusedReadsGoOnAndWritesTooOnceThereIsSpace) {
  ASSERT_THAT(Commit(100), IsOk());
  disk_.Fill();
  CommitUntilUnavailable(1'000);
  log_.WaitFor("writes still suspended");
  EXPECT_THAT(Commit(1), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(Keys(), acknowledged_);
  disk_.Free();
  log_.WaitFor("writes resumed");
  EXPECT_EQ(Keys(), acknowledged_);
  EXPECT_THAT(Commit(100'000), IsOk());
  Open();
  EXPECT_EQ(Keys(), acknowledged_);
}

TEST_F(FullDiskTest, C18_WithoutTheSpaceForOpeningItAfreshTheOldDatabaseIsReadOn) {
  ASSERT_THAT(Commit(100), IsOk());
  disk_.Fill();
  CommitUntilUnavailable(1'000);
  log_.WaitFor("writes still suspended");
  disk_.Free(size_t{1} << 20);
  EXPECT_EQ(Keys(), acknowledged_);
  EXPECT_THAT(Commit(1), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(log_.lines(), Each(Not(HasSubstr("writes resumed"))));
  disk_.Free();
  log_.WaitFor("writes resumed");
  EXPECT_EQ(Keys(), acknowledged_);
}

// Whether it is a log, a table or the manifest that has no room depends on how much there is.
TEST_F(FullDiskTest, C18_WhateverTheSpaceThatIsLeftNothingAcknowledgedIsLostAndNothingElseIsThere) {
  constexpr int kRounds = 8;
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(absl::StrCat("HAPAX_TEST_SEED=", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    const uint64_t left = random() % (size_t{3} << 20);
    const size_t bytes = 1'000 + random() % 20'000;
    disk_.Fill(left);
    CommitUntilUnavailable(bytes);
    EXPECT_EQ(Keys(), acknowledged_);
    disk_.Free();
    if (round % 3 == 0) Open();
    EXPECT_EQ(Keys(), acknowledged_);
    DeleteAll();  // Room for the next round.
  }
}

}  // namespace
}  // namespace hapax
