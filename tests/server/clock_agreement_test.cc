#include "hapax/server/clock_agreement.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/server/support/work_lease_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// The clock of a server that starts beside others. Each is a queue of work with a lease and a clock of its own.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

constexpr absl::Duration kMaxSkew = absl::Seconds(10);
// More than the age of a lease, which is renewed every third of it.
constexpr absl::Duration kDay = absl::Hours(24);

class ClockAgreementTest : public testing::Test {
 protected:
  // A server that starts with its clock ahead by so much.
  absl::Status Start(absl::Duration ahead) {
    ManualClock clock;
    clock.Advance(passed_);
    clock.Jump(ahead);
    WorkQueue queue(store_, clock, *logger_, {.lease = kLease, .server_id = "new"});
    store_.BeforeQueries([&] {
      ++looks_;
      passed_ += kLease / 10;
      clock.Advance(kLease / 10);
      for (const auto& server : running_) server->LookAfter(kLease / 10);
    });
    absl::Status status = AgreeOnTime(queue, kMaxSkew, /*interval=*/absl::ZeroDuration());
    store_.BeforeQueries(nullptr);
    return status;
  }
  // A server that runs with its clock ahead by so much, and looks at the leases before each look of another.
  TestServer& Run(const std::string& id, absl::Duration ahead) {
    TestServer& server = *running_.emplace_back(
        std::make_unique<TestServer>(*disk_, WorkQueue::Options{.lease = kLease, .server_id = id}));
    server.clock().Advance(passed_);
    server.clock().Jump(ahead);
    EXPECT_EQ(server.Resume(), 0);
    return server;
  }
  void KillAll() {
    for (auto& server : running_) server->Die();
    dead_ = std::move(running_);
    running_.clear();
  }

  const TempDir dir_;
  const std::unique_ptr<Store> disk_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  HookedStore store_{*disk_};
  const std::unique_ptr<spdlog::logger> logger_ = NullLogger();
  std::vector<std::unique_ptr<TestServer>> running_;
  std::vector<std::unique_ptr<TestServer>> dead_;
  absl::Duration passed_;  // Since the first server started.
  int looks_ = 0;
};

TEST_F(ClockAgreementTest, AnyClockStartsAlone) {
  EXPECT_THAT(Start(kDay), IsOk());
  EXPECT_THAT(Start(-kDay), IsOk());
  EXPECT_EQ(looks_, 2);
}

TEST_F(ClockAgreementTest, AClockThatAgreesStartsAtOnceBesideOthers) {
  Run("server-1", absl::ZeroDuration());
  Run("server-2", absl::Seconds(1));
  EXPECT_THAT(Start(absl::ZeroDuration()), IsOk());
  EXPECT_THAT(Start(kMaxSkew), IsOk());
  EXPECT_THAT(Start(-kMaxSkew), IsOk());
  EXPECT_EQ(looks_, 3);
}

TEST_F(ClockAgreementTest, C30_AClockThatDiffersIsRefusedBesideAServerThatRuns) {
  Run("server-1", absl::ZeroDuration());
  EXPECT_THAT(Start(kDay),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("max_clock_skew=10s: the clock of server-1 is at least 2"),
                             HasSubstr("behind this server's"), HasSubstr("NTP"), HasSubstr("start this one again"))));
  EXPECT_THAT(Start(-kDay), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("ahead of this server's")));
}

TEST_F(ClockAgreementTest, OfThreeTheOddOneIsRefused) {
  Run("server-1", absl::ZeroDuration());
  Run("odd", kDay);
  EXPECT_THAT(Start(absl::ZeroDuration()), IsOk());
  Run("server-2", absl::ZeroDuration());
  EXPECT_THAT(Start(kDay), StatusIs(StatusCode::kFailedPrecondition, AllOf(HasSubstr("server-1"), HasSubstr("server-2"),
                                                                           testing::Not(HasSubstr("odd")))));
}

TEST_F(ClockAgreementTest, ADeadServerRefusesNobody) {
  for (const absl::Duration ahead : {kDay, -kDay}) {
    Run("dead", ahead);
    KillAll();
    looks_ = 0;
    EXPECT_THAT(Start(absl::ZeroDuration()), IsOk());
    EXPECT_GT(looks_, 4) << "half of its lease";
    EXPECT_LT(looks_, 8);
  }
}

}  // namespace
}  // namespace hapax
