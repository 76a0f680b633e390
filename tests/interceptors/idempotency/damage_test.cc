#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/log_lines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// Bytes on the disk that are not what was written (C18).
namespace hapax {
namespace {

namespace fs = std::filesystem;

using absl::StatusCode;
using testing::HasSubstr;
using testing::Optional;

constexpr int kTokens = 100;

TokenKey KeyOf(int token) {
  return {.tenant = "tenant", .region = "region", .zone = "", .token = absl::StrCat(absl::Dec(token, absl::kZeroPad4))};
}

// Bytes that compression leaves as they are, so that they can be found in a file: some blocks' worth.
std::string ReplyOf(int token) {
  std::mt19937 random(token);
  std::string reply(10'000, '\0');
  std::generate(reply.begin(), reply.end(), [&] { return static_cast<char>(random()); });
  return reply;
}

class DamageTest : public testing::Test {
 protected:
  DamageTest() {
    Open();
    for (int token = 0; token < kTokens; ++token) Put(token);
    store_.reset();
  }

  void Open(const LogLines& log = LogLines()) {
    store_.reset();
    auto store = OpenRocksDbStore({.path = path_, .log = log.Sink()});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  void Put(int token) {
    EXPECT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          store::v1::TokenRecord record;
                          record.set_reply(ReplyOf(token));
                          PutToken(txn, KeyOf(token), record);
                          return absl::OkStatus();
                        }),
                IsOk());
  }

  // The reply that the token is replayed with.
  absl::StatusOr<std::string> Find(int token) {
    std::string reply;
    const auto find = [&](const ReadTransaction& txn) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(const auto record, FindToken(txn, KeyOf(token)));
      if (!record.has_value()) return absl::NotFoundError("the token is free");
      reply = record->reply();
      return absl::OkStatus();
    };
    absl::Status status;
    do {
      status = Query(*store_, find);
    } while (absl::IsUnavailable(status));  // The directory is being opened afresh.
    HAPAX_RETURN_IF_ERROR(status);
    return reply;
  }

  // Flips a bit of the token's reply where it stands in a file with this extension.
  void Flip(int token, const std::string& extension) {
    const std::string part = ReplyOf(token).substr(5'000, 50);
    int flipped = 0;
    for (const auto& file : fs::directory_iterator(path_)) {
      if (file.path().extension() != extension) continue;
      std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(stream), {});
      const size_t at = content.find(part);
      if (at == std::string::npos) continue;
      stream.clear();
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(content[at] ^ 1));
      ++flipped;
    }
    EXPECT_EQ(flipped, 1) << "the bytes of the reply are in so many files";
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
  std::unique_ptr<Store> store_;
};

TEST_F(DamageTest, C18_ADamagedBlockOfATableIsDataLossForItsTokenAndNoOther) {
  Open();  // What the log holds becomes a table.
  store_.reset();
  Flip(kTokens / 2, ".sst");
  Open();
  for (int token = 0; token < kTokens; ++token) {
    if (token == kTokens / 2) {
      EXPECT_THAT(Find(token), StatusIs(StatusCode::kDataLoss));
    } else {
      EXPECT_THAT(Find(token), IsOkAndHolds(ReplyOf(token)));
    }
  }
  Put(kTokens);
  EXPECT_THAT(Find(kTokens), IsOkAndHolds(ReplyOf(kTokens)));
  EXPECT_THAT(Find(kTokens / 2), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(Execute(*store_, [](Transaction& txn) { return FindToken(txn, KeyOf(kTokens / 2)).status(); }),
              StatusIs(StatusCode::kDataLoss));
}

TEST_F(DamageTest, C18_ADamagedRowThatItsBlockKnowsNothingOfIsDataLossForItsTokenAndNoOther) {
  Open();
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        std::string key;
                        std::string value;
                        absl::Status status = txn.Scan(Table::kTokens, KeyRange(), [&](auto row_key, auto row_value) {
                          key = row_key;
                          value = row_value;
                          return false;
                        });
                        value[value.size() / 2] ^= 1;
                        txn.Put(Table::kTokens, key, value);
                        return status;
                      }),
              IsOk());
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(Find(0), StatusIs(StatusCode::kDataLoss, HasSubstr("checksum")));
    EXPECT_THAT(Find(1), IsOkAndHolds(ReplyOf(1)));
    Open();
  }
}

// RocksDB cannot compact it, and takes no writes then.
TEST_F(DamageTest, C18_ADamagedTableThatIsDueForCompactionSuspendsWritesAndReadsGoOn) {
  constexpr int kTablesToCompact = 4;
  Open();
  for (int table = 1; table < kTablesToCompact - 1; ++table) {
    Put(table);  // Again: tables with keys in common are merged, others only moved.
    Open();
  }
  Put(0);
  store_.reset();
  Flip(kTokens / 2, ".sst");
  const LogLines log;
  Open(log);  // Makes the last table.
  log.WaitFor("writes suspended: DATA_LOSS");
  log.WaitFor("writes resumed");
  log.WaitFor("writes suspended: DATA_LOSS");
  EXPECT_THAT(Find(kTokens / 2), StatusIs(StatusCode::kDataLoss));
  for (int token : {0, 1, 2, kTokens - 1}) EXPECT_THAT(Find(token), IsOkAndHolds(ReplyOf(token)));
}

TEST_F(DamageTest, C18_ADamagedLogStopsTheStart) {
  Flip(kTokens / 2, ".log");
  EXPECT_THAT(OpenRocksDbStore({.path = path_}), StatusIs(StatusCode::kDataLoss, HasSubstr("cannot open " + path_)));
}

}  // namespace
}  // namespace hapax
