#ifndef HAPAX_TESTS_CLIENT_JOURNAL_JOURNAL_FIXTURE_H_
#define HAPAX_TESTS_CLIENT_JOURNAL_JOURNAL_FIXTURE_H_

#include <string>

#include "gtest/gtest.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::client {

// A place for a journal, on a disk that does not sync, unless a test controls it: thousands of syncs take their time.
class JournalFixture : public testing::Test {
 protected:
  JournalFixture() {
    SetDiskSyncHook([](int) { return kSkipSync; });
  }
  ~JournalFixture() override { SetDiskSyncHook(nullptr); }

  const TempDir dir;
  const std::string path = dir.Path("journal");
};

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_JOURNAL_JOURNAL_FIXTURE_H_
