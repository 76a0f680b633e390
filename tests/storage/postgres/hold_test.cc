#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/tests/storage/postgres/backend_fixture.h"
#include "hapax/tests/support/status_matchers.h"

// What a group fetched and holds, on a real server.
namespace hapax {
namespace {

using Outcome = RemoteCommitted::Outcome;

class PostgresHoldTest : public PostgresBackendTest {
 protected:
  // Fetches row "a", which the next group on the slot will write. Returns its revision.
  int64_t FetchAndHold() {
    auto fetched = Wait<absl::StatusOr<RemoteFetched>>([&](auto done) {
      backend_->FetchAndHold({.keys = {Row("a")}}, Group({{Row("a"), 0}}, {{Row("a"), std::nullopt}}), std::move(done));
    });
    EXPECT_THAT(fetched, IsOk());
    return fetched.ok() ? fetched->values.at(0).revision : -1;
  }

  // A group of another server that read the row before and writes it.
  RemoteGroup OtherGroup() {
    const RemoteSlot next = {.owner = "other", .epoch = 1};
    EXPECT_THAT(Wait<absl::StatusOr<bool>>(
                    [&](auto done) { other_->RaiseSlot("server/1", RemoteSlotState(), next, std::move(done)); }),
                IsOkAndHolds(true));
    return {.slot = "server/1", .before = next, .reads = {{Row("a"), 0}}, .writes = {{Row("a"), "other"}}};
  }

  static void AwaitOneThatWaits() {
    while (SharedPostgres().Sql("SELECT count(*)::text FROM pg_locks WHERE NOT granted") == "0") {
    }
  }

  const std::unique_ptr<RemoteBackend> other_ = OpenBackend(SharedPostgres().Options(schema_));
};

TEST_F(PostgresHoldTest, OthersWaitForTheCommitOfAGroupThatHoldsWhatItFetched) {
  const RemoteGroup other = OtherGroup();
  const int64_t revision = FetchAndHold();
  RemoteCommitted others;
  absl::Notification told;
  other_->Commit(other, [&](RemoteCommitted committed) {
    others = std::move(committed);
    told.Notify();
  });
  AwaitOneThatWaits();
  EXPECT_EQ(Commit({{Row("a"), revision}}, {{Row("a"), "ours"}}), Outcome::kApplied);
  told.WaitForNotification();
  EXPECT_EQ(others.outcome, Outcome::kNotApplied);
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "ours");
  EXPECT_EQ(Commit({}, {{Row("a"), "again"}}), Outcome::kApplied) << "the connection is of use again";
}

TEST_F(PostgresHoldTest, AReleaseLetsOthersCommit) {
  const RemoteGroup other = OtherGroup();
  FetchAndHold();
  backend_->Release("server/0");
  EXPECT_EQ(Committed(*other_, other).outcome, Outcome::kApplied);
  EXPECT_EQ(Commit({{Row("a"), 0}}, {{Row("a"), "ours"}}), Outcome::kNotApplied);
}

TEST_F(PostgresHoldTest, AHoldGoesOnWithTheNextFetch) {
  const RemoteGroup other = OtherGroup();
  FetchAndHold();
  const int64_t revision = FetchAndHold();
  EXPECT_EQ(Commit({{Row("a"), revision}}, {{Row("a"), "ours"}}), Outcome::kApplied);
  EXPECT_EQ(Committed(*other_, other).outcome, Outcome::kNotApplied);
}

TEST_F(PostgresHoldTest, AHoldEndsWithItsConnectionAndTheCommitStillCompares) {
  const RemoteGroup other = OtherGroup();
  const int64_t revision = FetchAndHold();
  SharedPostgres().Crash();
  SharedPostgres().Start();
  const RemoteCommitted others = Committed(*other_, other);
  EXPECT_EQ(others.outcome, Outcome::kApplied) << others.status;
  EXPECT_EQ(Commit({{Row("a"), revision}}, {{Row("a"), "ours"}}), Outcome::kNotApplied);
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "other");
}

}  // namespace
}  // namespace hapax
