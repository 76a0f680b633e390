#include "hapax/storage/rocksdb/synced_names.h"

#include <memory>

#include "gtest/gtest.h"
#include "hapax/tests/support/faulty_file_system.h"
#include "rocksdb/env.h"

namespace hapax {
namespace {

// With the machine's clock, each failure of background work in a test would cost RocksDB's pause of a second.
TEST(SyncedNamesTest, TheClockIsThatOfTheWrappedEnv) {
  const FaultyFileSystem files;
  const std::unique_ptr<rocksdb::Env> env = WithSyncedNames(*files.env());
  ASSERT_NE(files.env()->GetSystemClock(), rocksdb::Env::Default()->GetSystemClock());
  EXPECT_EQ(env->GetSystemClock(), files.env()->GetSystemClock());
}

}  // namespace
}  // namespace hapax
