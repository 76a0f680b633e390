#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/tests/support/log_record.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// What opening makes of a write-ahead log that a crash cut off, or that is damaged.
namespace hapax {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 4;

std::string Key(int row) { return absl::StrCat("row ", row); }
std::string Value(int row) { return absl::StrCat("value ", row, std::string(40, 'v')); }

// A data directory whose log holds rows 0 to kRows - 1, each committed in its turn, and copies of it that
// are damaged and opened.
class RocksDbEngineLogTest : public testing::Test {
 protected:
  RocksDbEngineLogTest() {
    const auto engine = RocksDbEngine::Open({.path = sound_});
    for (int row = 0; row < kRows; ++row) {
      Overlay writes;
      writes.Write(Table::kWork, Key(row), Value(row));
      EXPECT_THAT((*(*engine)->Current())->WriteDurably(writes), IsOk());
      log_sizes_.push_back(fs::file_size(Log(sound_)));
    }
  }

  // The log that holds the rows: the longest one.
  static fs::path Log(const fs::path& directory) {
    fs::path log;
    for (const fs::directory_entry& file : fs::directory_iterator(directory)) {
      if (file.path().extension() != ".log") continue;
      if (log.empty() || file.file_size() > fs::file_size(log)) log = file.path();
    }
    return log;
  }

  static void Flip(const fs::path& log, uintmax_t offset) {
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 0x55);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

  // Opens a copy whose log `damage` has changed, and gives the number of rows in it; nullopt when it is
  // refused, as it must be with DATA_LOSS. Whatever opens has rows 0 to n - 1, as they were.
  template <typename Damage>
  std::optional<int> RowsAfter(Damage damage) {
    fs::remove_all(copy_);
    fs::copy(sound_, copy_, fs::copy_options::recursive);
    damage(Log(copy_));
    const auto engine = RocksDbEngine::Open({.path = copy_});
    if (!engine.ok()) {
      EXPECT_THAT(engine, StatusIs(absl::StatusCode::kDataLoss));
      return std::nullopt;
    }
    int rows = 0;
    for (int row = 0; row < kRows; ++row) {
      const auto value = (*(*engine)->Current())->Get(Table::kWork, Key(row), nullptr);
      EXPECT_THAT(value, IsOk());
      if (!value.ok() || !value->has_value()) continue;
      EXPECT_EQ(**value, Value(row));
      EXPECT_EQ(rows++, row) << "an earlier row is missing";
    }
    return rows;
  }

  const TempDir dir_;
  const std::string sound_ = dir_.Path("sound");
  const std::string copy_ = dir_.Path("copy");
  std::vector<uintmax_t> log_sizes_;  // After each row.
};

TEST_F(RocksDbEngineLogTest, ALogThatEndsInTheMiddleOfARecordIsReadUpToIt) {
  for (uintmax_t size = log_sizes_[0]; size <= log_sizes_.back(); size += 3) {
    int complete = 0;
    for (uintmax_t log_size : log_sizes_) complete += log_size <= size ? 1 : 0;
    EXPECT_EQ(RowsAfter([&](const fs::path& log) { fs::resize_file(log, size); }), complete) << size;
  }
}

TEST_F(RocksDbEngineLogTest, C18_ALogWithAnyByteDamagedIsRefused) {
  for (uintmax_t offset = 0; offset < log_sizes_.back(); ++offset) {
    EXPECT_EQ(RowsAfter([&](const fs::path& log) { Flip(log, offset); }), std::nullopt) << offset;
  }
}

// The header of a record as it is where nothing was written yet.
TEST_F(RocksDbEngineLogTest, C18_ALogWithZeroesForAHeaderIsRefusedUnlessItIsTheLast) {
  for (int row = 1; row < kRows; ++row) {
    const std::optional<int> rows = RowsAfter([&](const fs::path& log) {
      std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(log_sizes_[row - 1]));
      file.write("\0\0\0\0\0\0\0", 7);
    });
    EXPECT_EQ(rows, row == kRows - 1 ? std::optional<int>(row) : std::nullopt) << row;
  }
}

// Where a log of many blocks is damaged, some of its writes reach over the end of theirs.
TEST_F(RocksDbEngineLogTest, C18_ALongLogIsRefusedWhereverALengthIsDamaged) {
  constexpr int kManyRows = 60;
  constexpr size_t kRowBytes = 5'000;
  std::vector<uintmax_t> starts;
  {
    const auto engine = RocksDbEngine::Open({.path = sound_});
    ASSERT_THAT(engine, IsOk());
    for (int row = 0; row < kManyRows; ++row) {
      starts.push_back(fs::file_size(Log(sound_)));
      Overlay writes;
      writes.Write(Table::kTokens, Key(row), std::string(kRowBytes, 'v'));
      ASSERT_THAT((*(*engine)->Current())->WriteDurably(writes), IsOk());
    }
  }
  for (uintmax_t start : starts) {
    EXPECT_EQ(RowsAfter([&](const fs::path& log) { Flip(log, start + 5); }), std::nullopt) << start;
  }
}

// A batch with one row, under a number that is as high as any; marked as ours, but for the log id, if asked to.
std::string BatchOfATenants(bool is_marked) {
  std::string batch = std::string(7, '\xFF') + std::string(1, '\x0F') + std::string("\1\0\0\0", 4);
  if (is_marked) batch += std::string("\x03\x10", 2) + std::string(16, 'i');
  return batch + "\1\1k\1v";
}

class HostileLogTest : public RocksDbEngineLogTest {
 protected:
  // One more write to the sound directory, of a value with these bytes in it. Returns where in the log it begins.
  uintmax_t Write(const std::string& value) {
    const auto engine = RocksDbEngine::Open({.path = sound_});
    EXPECT_THAT(engine, IsOk());
    const uintmax_t start = fs::exists(Log(sound_)) ? fs::file_size(Log(sound_)) : 0;
    Overlay writes;
    writes.Write(Table::kTokens, "hostile", value);
    EXPECT_THAT((*(*engine)->Current())->WriteDurably(writes), IsOk());
    return start;
  }
};

// Wherever the power cut leaves the write that holds them, its bytes are not taken for a log that goes on.
TEST_F(HostileLogTest, SoundRecordsInAValueThatWasCutOffDoNotHinderTheStart) {
  std::string value;
  for (const bool is_marked : {false, true}) {
    for (int i = 0; i < 3; ++i) value += "tag" + SoundLogRecord(BatchOfATenants(is_marked));
  }
  const uintmax_t start = Write(value);
  const uintmax_t end = fs::file_size(Log(sound_));
  ASSERT_GT(end, start + value.size());
  for (uintmax_t size = start; size <= end; size += 5) {
    EXPECT_EQ(RowsAfter([&](const fs::path& log) { fs::resize_file(log, size); }), kRows) << size;
  }
}

// The same where the header is what did not reach the disk, and what is behind it did.
TEST_F(HostileLogTest, SoundRecordsBehindAHeaderOfZeroesDoNotHinderTheStart) {
  const uintmax_t start = Write(SoundLogRecord(BatchOfATenants(/*is_marked=*/true)));
  EXPECT_EQ(RowsAfter([&](const fs::path& log) {
              std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
              file.seekp(static_cast<std::streamoff>(start));
              file.write("\0\0\0\0\0\0\0", 7);
            }),
            kRows);
}

// A value of many blocks, in which every place could be the beginning of a record.
TEST_F(HostileLogTest, AValueThatIsAllBeginningsOfRecordsDoesNotHinderTheStart) {
  const std::string record = SoundLogRecord(BatchOfATenants(/*is_marked=*/true));
  std::string value;
  while (value.size() < 200'000) value += record;
  const uintmax_t start = Write(value);
  const uintmax_t end = fs::file_size(Log(sound_));
  for (uintmax_t size = start + 100; size < end; size += 20'011) {
    EXPECT_EQ(RowsAfter([&](const fs::path& log) { fs::resize_file(log, size); }), kRows) << size;
  }
}

// What is behind a damaged write and is ours stops the start, though a tenant's bytes are between them.
TEST_F(HostileLogTest, C18_OurWritesBehindADamagedOneAreFoundAmongATenantsBytes) {
  const std::string record = SoundLogRecord(BatchOfATenants(/*is_marked=*/true));
  const std::vector<uintmax_t> starts = [&] {
    const auto engine = RocksDbEngine::Open({.path = sound_});
    std::vector<uintmax_t> found;
    for (int i = 0; i < 40; ++i) {
      found.push_back(fs::exists(Log(sound_)) ? fs::file_size(Log(sound_)) : 0);
      Overlay writes;
      // So that they end where blocks do, and anywhere else.
      writes.Write(Table::kTokens, "hostile", record + std::string(1'595 + 7 * static_cast<size_t>(i), 'v') + record);
      EXPECT_THAT((*(*engine)->Current())->WriteDurably(writes), IsOk());
    }
    return found;
  }();
  for (const uintmax_t start : starts) {
    const bool is_last = start == starts.back();
    EXPECT_EQ(RowsAfter([&](const fs::path& log) { Flip(log, start + 5); }), std::nullopt) << start << is_last;
  }
}

}  // namespace
}  // namespace hapax
