#include "hapax/server/shared_settings.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/server/support/work_lease_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// What servers that share a store agree on. Each is a queue of work with a lease and a clock of its own.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using Settings = std::map<std::string, std::string>;

// Those of a server that hosts one method, whose rule has this retention.
Settings SettingsWith(const std::string& retention) {
  const MadeService made(RuleOptions(kRule + (" " + retention)));
  HostedService hosted(made.descriptor());
  hosted.Mutation<test::v1::DepositRequest, test::v1::DepositResponse>(
      "Change", [](const CallContext&, Transaction&, const test::v1::DepositRequest&, test::v1::DepositResponse*) {
        return absl::OkStatus();
      });
  EXPECT_THAT(hosted.Compile(), IsOk());
  return SharedSettingsOf(ServerOptions(), {&hosted});
}

class SharedSettingsTest : public testing::Test {
 protected:
  // A server that starts with these settings, beside what else runs.
  absl::Status Start(const Settings& settings) {
    WorkQueue queue(store_, clock_, *logger_, {.lease = kLease});
    return AgreeOnSettings(settings, LoneChange(queue, absl::ZeroDuration()), store_, *logger_);
  }
  // A server that runs, and renews its lease before each look of another.
  std::unique_ptr<TestServer> RunningServer() {
    auto server = std::make_unique<TestServer>(*disk_);
    EXPECT_EQ(server->Resume(), 0);
    store_.BeforeQueries([&running = *server] { running.LookAfter(absl::ZeroDuration()); });
    return server;
  }

  const TempDir dir_;
  const std::unique_ptr<Store> disk_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  HookedStore store_{*disk_};
  ManualClock clock_;
  const std::unique_ptr<spdlog::logger> logger_ = NullLogger();
};

TEST_F(SharedSettingsTest, TheSameSettingsStartBesideOthers) {
  EXPECT_THAT(Start({{"a", "1"}}), IsOk());
  const auto running = RunningServer();
  EXPECT_THAT(Start({{"a", "1"}}), IsOk());
}

TEST_F(SharedSettingsTest, C30_OtherSettingsAreRefusedWhileAServerRuns) {
  EXPECT_THAT(Start({{"a", "1"}, {"b", "1"}}), IsOk());
  const auto running = RunningServer();
  EXPECT_THAT(Start({{"a", "1"}, {"b", "2"}}),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("b=2: the store's servers have 1"), HasSubstr("stop all of them"))));
  EXPECT_THAT(Start({{"b", "1"}}), IsOk()) << "what was refused is not stored";
}

// Else one server would refuse a token for its age, and another would execute it.
TEST_F(SharedSettingsTest, C17_C30_AnotherRetentionOfAMethodIsRefusedWhileAServerRuns) {
  EXPECT_THAT(Start(SettingsWith("retention { seconds: 5 }")), IsOk());
  const auto running = RunningServer();
  EXPECT_THAT(Start(SettingsWith("retention { seconds: 5 }")), IsOk());
  EXPECT_THAT(Start(SettingsWith("retention { seconds: 6 }")),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr("the retention of hapax.test.v1.Made/Change=6s: the store's servers have 5s")));
}

TEST_F(SharedSettingsTest, ASettingThatOnlyOneVersionHasIsNoDifference) {
  EXPECT_THAT(Start({{"a", "1"}}), IsOk());
  const auto running = RunningServer();
  EXPECT_THAT(Start({{"b", "2"}}), IsOk());
  EXPECT_THAT(Start({{"a", "2"}}), StatusIs(StatusCode::kFailedPrecondition)) << "it is kept all the same";
}

TEST_F(SharedSettingsTest, WhereNoServerRunsTheFirstOneDecides) {
  EXPECT_THAT(Start({{"a", "1"}}), IsOk());
  EXPECT_THAT(Start({{"a", "2"}}), IsOk());
  const auto running = RunningServer();
  EXPECT_THAT(Start({{"a", "1"}}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("have 2")));
}

TEST_F(SharedSettingsTest, ADeadServerCountsUntilItsLeaseHasRunOut) {
  EXPECT_THAT(Start({{"a", "1"}}), IsOk());
  TestServer dead(*disk_);
  EXPECT_EQ(dead.Resume(), 0);
  dead.Die();
  int looks = 0;
  store_.BeforeQueries([&] {
    ++looks;
    clock_.Advance(kLease / 4);
  });
  EXPECT_THAT(Start({{"a", "2"}}), IsOk());
  EXPECT_GE(looks, 4);
}

}  // namespace
}  // namespace hapax
