#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/child_process.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// Processes that end, one way or the other, while they have a server (server_children.cc).
namespace hapax {
namespace {

using testing::Optional;

class ServerExitTest : public testing::TestWithParam<std::string> {};

TEST_P(ServerExitTest, TheProcessEndsInPeaceAndWhatWasAcknowledgedIsThere) {
  const TempDir dir;
  ChildProcess child({"--scenario", GetParam(), dir.Path("data")});
  EXPECT_EQ(child.ExitCode(), 0) << "signal " << child.Wait();
  const auto store = OpenRocksDbStore({.path = dir.Path("data")});
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT(Query(**store,
                    [](const ReadTransaction& txn) {
                      EXPECT_THAT(txn.Get(Table::kResources, "row of the scenario"),
                                  IsOkAndHolds(Optional(std::string("there"))));
                      return absl::OkStatus();
                    }),
              IsOk());
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ServerExitTest,
                         testing::Values("open_global", "started_global", "exit_elsewhere", "abandoned_by_stop",
                                         "abandoned_by_destructor"),
                         [](const auto& scenario) { return scenario.param; });

}  // namespace
}  // namespace hapax
