#include "hapax/storage/remote/backend.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/storage/remote_backend_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include HAPAX_REMOTE_BACKEND

// What each backend promises, on a real database: what is compared, and what is told of groups whose answers are lost.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = RemoteCommitted::Outcome;

TEST_F(RemoteBackendTest, AGroupIsAppliedAsAWholeAndReadAtOneMoment) {
  EXPECT_EQ(slot_, (RemoteSlot{.owner = "owner", .epoch = 1, .seq = 0}));
  const std::string bytes("\0/\xff", 3);
  ASSERT_EQ(Commit({}, {{Row("a"), ""}, {Row("b"), bytes}, {Row(bytes), "c"}, {Row("b", Table::kWork), "work"}}),
            Outcome::kApplied);
  ASSERT_EQ(Commit({}, {{Row("a"), std::nullopt}, {Row("d"), "d"}}), Outcome::kApplied);

  const RemoteFetched fetched = Fetched(*backend_, {.keys = {Row("a"), Row("b"), Row(bytes), Row("b", Table::kWork)},
                                                    .scans = {{.table = kTable},
                                                              {.table = kTable, .range = {.begin = "b"}},
                                                              {.table = kTable, .range = {.begin = "b", .end = "d"}},
                                                              {.table = kTable, .max_rows = 2},
                                                              {.table = Table::kOperations}}});
  EXPECT_EQ(fetched.values[0].value, std::nullopt);
  EXPECT_EQ(fetched.values[0].revision, 0);
  EXPECT_EQ(fetched.values[1].value, bytes);
  EXPECT_EQ(fetched.values[2].value, "c");
  EXPECT_EQ(fetched.values[3].value, "work");
  EXPECT_GT(fetched.values[1].revision, 0);
  const auto keys = [&](int scan) {
    std::vector<std::string> found;
    for (const RemoteFetched::Row& row : fetched.scans[scan].rows) found.push_back(row.key);
    return found;
  };
  EXPECT_THAT(keys(0), ElementsAre(bytes, "b", "d"));
  EXPECT_THAT(keys(1), ElementsAre("b", "d"));
  EXPECT_THAT(keys(2), ElementsAre("b"));
  EXPECT_THAT(keys(3), ElementsAre(bytes, "b"));
  EXPECT_THAT(keys(4), ElementsAre());
  EXPECT_FALSE(fetched.scans[0].has_more);
  EXPECT_TRUE(fetched.scans[3].has_more);
  EXPECT_EQ(fetched.scans[0].rows[1].value.revision, fetched.values[1].revision);
}

TEST_F(RemoteBackendTest, AGroupThatReadWhatHasChangedIsNotApplied) {
  ASSERT_EQ(Commit({}, {{Row("a"), "1"}}), Outcome::kApplied);
  const int64_t old = ValueOf(*backend_, Row("a")).revision;
  ASSERT_EQ(Commit({{Row("a"), old}}, {{Row("a"), "2"}}), Outcome::kApplied);

  const RemoteCommitted conflict = Committed(*backend_, Group({{Row("b"), 0}, {Row("a"), old}}, {{Row("b"), "b"}}));
  EXPECT_EQ(conflict.outcome, Outcome::kNotApplied);
  EXPECT_EQ(conflict.slot, slot_);
  EXPECT_EQ(ValueOf(*backend_, Row("b")).value, std::nullopt);
  EXPECT_THAT(IsUnchanged(*backend_, {{Row("a"), old}}), IsOkAndHolds(false));

  const int64_t now = ValueOf(*backend_, Row("a")).revision;
  EXPECT_THAT(IsUnchanged(*backend_, {{Row("a"), now}, {Row("b"), 0}}), IsOkAndHolds(true));
  EXPECT_EQ(Commit({{Row("b"), 0}, {Row("a"), now}}, {{Row("b"), "b"}}), Outcome::kApplied);
  EXPECT_EQ(Commit({{Row("b"), 0}}, {{Row("b"), "again"}}), Outcome::kNotApplied);
}

TEST_F(RemoteBackendTest, AGroupThatScannedAGranuleIsRefusedOnceARowEnteredOrLeftIt) {
  ASSERT_EQ(Commit({{Granule("g"), 0}}, {{Row("g1"), "1"}, {Granule("g"), ""}}), Outcome::kApplied);
  const int64_t before = ValueOf(*backend_, Granule("g")).revision;
  ASSERT_EQ(Commit({}, {{Row("g1"), std::nullopt}, {Granule("g"), ""}}), Outcome::kApplied);
  EXPECT_EQ(Commit({{Granule("g"), before}}, {{Row("sum"), "1"}}), Outcome::kNotApplied);
}

TEST_F(RemoteBackendTest, AGroupWhoseAnswerIsLostIsFoundAppliedByItsSlot) {
  const auto through_proxy = OpenThroughProxy();
  proxy_->LoseAnswers();
  EXPECT_EQ(Committed(*through_proxy, Group({}, {{Row("a"), "1"}})).outcome, Outcome::kUnknown);
  proxy_->Forward();
  EXPECT_EQ(Taken(*through_proxy), (RemoteSlot{.owner = "owner", .epoch = slot_.epoch + 1, .seq = 1}));
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "1");
}

TEST_F(RemoteBackendTest, AGroupThatComesAfterItsSlotWasTakenIsNeverApplied) {
  const auto through_proxy = OpenThroughProxy();
  proxy_->HoldRequests();
  absl::Notification told;
  through_proxy->Commit(Group({}, {{Row("a"), "late"}}), [&](const RemoteCommitted& committed) {
    EXPECT_EQ(committed.outcome, Outcome::kUnknown);
    told.Notify();
  });
  proxy_->AwaitHeldRequest();
  proxy_->CutClients();
  told.WaitForNotification();
  proxy_->Forward();
  const RemoteSlot taken = Taken(*through_proxy);
  EXPECT_EQ(taken, (RemoteSlot{.owner = "owner", .epoch = slot_.epoch + 1, .seq = 0}));
  proxy_->DeliverHeld();
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, std::nullopt);
  slot_ = taken;
  EXPECT_EQ(Commit({}, {{Row("a"), "again"}}), Outcome::kApplied);
}

TEST_F(RemoteBackendTest, AGroupThatWasNotFencedIsAppliedWhenItComesLate) {
  const auto through_proxy = OpenThroughProxy();
  proxy_->HoldRequests();
  absl::Notification told;
  through_proxy->Commit(Group({}, {{Row("a"), "late"}}), [&](const RemoteCommitted&) { told.Notify(); });
  proxy_->AwaitHeldRequest();
  proxy_->CutClients();
  told.WaitForNotification();
  proxy_->Forward();
  proxy_->DeliverHeld();
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "late");
}

TEST_F(RemoteBackendTest, ASecondDeliveryOfAGroupFindsItsNumberInTheSlot) {
  const RemoteGroup group = Group({{Row("a"), 0}}, {{Row("a"), "1"}});
  const RemoteCommitted first = Committed(*backend_, group);
  EXPECT_EQ(first.outcome, Outcome::kApplied);
  const int64_t revision = ValueOf(*backend_, Row("a")).revision;
  EXPECT_EQ(first.revision, revision);
  const RemoteCommitted second = Committed(*backend_, group);
  EXPECT_EQ(second.outcome, Outcome::kNotApplied);
  EXPECT_EQ(second.slot, (RemoteSlot{.owner = "owner", .epoch = 1, .seq = 1}));
  EXPECT_EQ(ValueOf(*backend_, Row("a")).revision, revision);
}

TEST_F(RemoteBackendTest, AGroupWhoseSlotAnotherProcessTookIsNotAppliedAndToldWhoTookIt) {
  const RemoteSlotState seen = Slot(*backend_);
  const RemoteSlot taken = Taken(*backend_, "second");
  const RemoteCommitted late = Committed(*backend_, Group({}, {{Row("a"), "1"}}));
  EXPECT_EQ(late.outcome, Outcome::kNotApplied);
  EXPECT_EQ(late.slot, taken);
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, std::nullopt);
  // Nor does a raise that comes late undo it.
  EXPECT_THAT(Wait<absl::StatusOr<bool>>([&](auto done) {
                backend_->RaiseSlot("server/0", seen, {.owner = "owner", .epoch = 9}, std::move(done));
              }),
              IsOkAndHolds(false));
  EXPECT_EQ(Slot(*backend_).value, taken);
}

}  // namespace
}  // namespace hapax
