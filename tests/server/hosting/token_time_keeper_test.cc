#include "hapax/server/hosting/token_time_keeper.h"

#include <memory>
#include <sstream>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "spdlog/sinks/ostream_sink.h"

namespace hapax {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class TokenTimeKeeperTest : public testing::Test {
 protected:
  TokenTimeKeeperTest() { EXPECT_THAT(time_.Load(*store_, {.shortest_life = absl::Hours(1)}), IsOk()); }

  // What a keeper logs that finds the clock so.
  std::string LogOfAKeeper() {
    log_.str("");
    TokenTimeKeeper(time_, *store_, logger_, registry_, /*interval=*/absl::Hours(1));
    return log_.str();
  }
  double Metric() const {
    for (const prometheus::MetricFamily& family : registry_.Collect()) {
      if (family.name == "hapax_clock_ahead_seconds") return family.metric.at(0).gauge.value;
    }
    return -1;
  }

  const TempDir dir_;
  ManualClock clock_;
  TokenTime time_{clock_};
  const std::unique_ptr<Store> store_ = OpenRocksDbStore({.path = dir_.Path("data")}).value();
  std::ostringstream log_;
  spdlog::logger logger_{"server", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)};
  prometheus::Registry registry_;
};

TEST_F(TokenTimeKeeperTest, OfAClockThatIsRightThereIsNothingToSay) {
  EXPECT_THAT(LogOfAKeeper(), IsEmpty());
  EXPECT_EQ(Metric(), 0);
  clock_.Jump(absl::Seconds(59));
  EXPECT_THAT(LogOfAKeeper(), IsEmpty());
}

TEST_F(TokenTimeKeeperTest, C29_AClockThatIsAheadIsToldByLogAndMetric) {
  clock_.Jump(absl::Hours(24 * 40));
  EXPECT_THAT(LogOfAKeeper(), HasSubstr("the clock is ahead by 960h"));
  EXPECT_THAT(LogOfAKeeper(), HasSubstr("--time_passed=2001-10-19T01:46:40+00:00"));
  EXPECT_EQ(Metric(), 40 * 24 * 3600);
}

TEST_F(TokenTimeKeeperTest, C29_SoIsOneThatIsBehind) {
  clock_.Jump(-absl::Hours(2));
  EXPECT_THAT(LogOfAKeeper(), HasSubstr("the clock is behind by 2h"));
  EXPECT_EQ(Metric(), -2 * 3600);
}

TEST_F(TokenTimeKeeperTest, ItsEndWritesTheTimeDown) {
  clock_.Advance(absl::Hours(3));
  LogOfAKeeper();
  EXPECT_EQ(time_.durable().Now(), clock_.Now());
}

}  // namespace
}  // namespace hapax
