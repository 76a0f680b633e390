#ifndef HAPAX_TESTS_STORAGE_ROCKSDB_ENGINE_FIXTURE_H_
#define HAPAX_TESTS_STORAGE_ROCKSDB_ENGINE_FIXTURE_H_

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/tests/support/faulty_file_system.h"
#include "hapax/tests/support/log_lines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {

// An engine whose files can be made to fail, and which tries at once whether they work again.
class EngineFixture : public testing::Test {
 protected:
  static constexpr Table kTable = Table::kTokens;
  static constexpr absl::Duration kAtOnce = absl::Milliseconds(1);
  static constexpr absl::Duration kNever = absl::Hours(24);
  static constexpr char kSuspended[] = "writes suspended";
  static constexpr char kStillSuspended[] = "writes still suspended";
  static constexpr char kResumed[] = "writes resumed";

  EngineFixture() { Open(); }

  void Open(absl::Duration probe_interval = kAtOnce) {
    engine_ = nullptr;
    auto engine = RocksDbEngine::Open({.path = path_,
                                       .write_buffer_bytes = size_t{1} << 16,
                                       .log = log_.Sink(),
                                       .probe_interval = probe_interval,
                                       .env = files_.env()});
    ASSERT_THAT(engine, IsOk());
    engine_ = *std::move(engine);
  }

  absl::Status Put(std::string key, size_t value_size = 10) {
    const auto database = engine_->Current();
    if (!database.ok()) return database.status();
    Overlay writes;
    writes.Write(kTable, std::move(key), std::string(value_size, 'v'));
    return (*database)->WriteDurably(writes);
  }

  static std::vector<std::string> Keys(const Database& database) {
    std::vector<std::string> keys;
    const auto row = database.NewIterator(kTable, nullptr);
    for (row->SeekToFirst(); row->Valid(); row->Next()) keys.push_back(row->key().ToString());
    EXPECT_TRUE(row->status().ok()) << row->status().ToString();
    return keys;
  }
  std::vector<std::string> Keys() { return Keys(**engine_->Current()); }

  // Those that a restart would find if the process died now.
  std::vector<std::string> KeysAfterACrash() {
    // The recovery's probe comes and goes beside, and a file that goes between its listing and its copy ends the
    // copying.
    std::error_code error;
    for (int i = 0; i < 100; ++i) {
      std::filesystem::remove_all(copy_);
      std::filesystem::copy(path_, copy_, std::filesystem::copy_options::recursive, error);
      if (!error) break;
    }
    EXPECT_FALSE(error) << error.message();
    const auto engine = RocksDbEngine::Open({.path = copy_});
    EXPECT_THAT(engine, IsOk());
    return Keys(**(*engine)->Current());
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
  const std::string copy_ = dir_.Path("copy");
  FaultyFileSystem files_;
  const LogLines log_;
  std::unique_ptr<RocksDbEngine> engine_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ROCKSDB_ENGINE_FIXTURE_H_
