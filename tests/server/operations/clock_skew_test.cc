#include "hapax/server/operations/clock_skew.h"

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/operations/work_leases.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "spdlog/sinks/ostream_sink.h"

namespace hapax {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Duration kLease = absl::Seconds(30);
constexpr absl::Duration kMaxSkew = absl::Seconds(10);
constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kSecond = absl::Seconds(1);

OtherClock ClockThatIs(absl::Duration ahead, std::optional<absl::Duration> behind) {
  return {.server_id = "other", .ahead = ahead, .behind = behind, .lease = kLease};
}

TEST(ClockSkewTest, OnlyWhatIsSureCounts) {
  EXPECT_EQ(SureSkew(ClockThatIs(kHour, std::nullopt)), kHour);
  EXPECT_EQ(SureSkew(ClockThatIs(kHour, -kHour)), kHour);
  EXPECT_EQ(SureSkew(ClockThatIs(-kHour, kHour - kSecond)), kSecond - kHour);
  EXPECT_EQ(SureSkew(ClockThatIs(-kHour, std::nullopt)), absl::ZeroDuration()) << "it may have been slow";
  EXPECT_EQ(SureSkew(ClockThatIs(-kHour, -kHour)), absl::ZeroDuration()) << "both may have been slow";
}

TEST(ClockSkewTest, AStartFindsWhatTheLeaseTells) {
  const auto find = [](OtherClock clock) { return FindingAtStart(clock, kMaxSkew); };
  OtherClock ahead = ClockThatIs(kMaxSkew + kSecond, std::nullopt);
  EXPECT_EQ(find(ahead), ClockFinding::kPending) << "whether its server runs is not known";
  ahead.silent_for = kLease / 2;
  EXPECT_EQ(find(ahead), ClockFinding::kSilent);
  ahead.renewed = true;
  EXPECT_EQ(find(ahead), ClockFinding::kBeyond);
  ahead.ahead = kMaxSkew;
  EXPECT_EQ(find(ahead), ClockFinding::kWithin);

  OtherClock behind = ClockThatIs(-(kMaxSkew + kLease / 3 + kSecond), std::nullopt);
  EXPECT_EQ(find(behind), ClockFinding::kPending);
  behind.renewed = true;
  EXPECT_EQ(find(behind), ClockFinding::kPending) << "the lease may have taken long to be written";
  behind.behind = kMaxSkew + kSecond;
  EXPECT_EQ(find(behind), ClockFinding::kBeyond);
  behind.behind = kSecond;
  EXPECT_EQ(find(behind), ClockFinding::kWithin);
  behind.behind = std::nullopt;
  behind.watched_for = kLease;
  EXPECT_EQ(find(behind), ClockFinding::kSilent) << "it renews its lease, but sees no other's";
  EXPECT_EQ(find(ClockThatIs(-(kMaxSkew + kLease / 3), std::nullopt)), ClockFinding::kWithin)
      << "as old as a lease becomes";
}

class ClockSkewWatchTest : public testing::Test {
 protected:
  std::string Report(const std::vector<OtherClock>& clocks) {
    log_.str("");
    watch_.Report(clocks);
    return log_.str();
  }
  double Metric() const {
    for (const prometheus::MetricFamily& family : registry_.Collect()) {
      if (family.name == "hapax_clock_skew_seconds") return family.metric.at(0).gauge.value;
    }
    return -1;
  }

  std::ostringstream log_;
  spdlog::logger logger_{"server", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)};
  prometheus::Registry registry_;
  ClockSkewWatch watch_{kMaxSkew, logger_, registry_};
};

TEST_F(ClockSkewWatchTest, EachChangeIsToldOnceAndTheMetricEachTime) {
  EXPECT_THAT(Report({ClockThatIs(-kSecond, -kSecond)}), IsEmpty());
  EXPECT_EQ(Metric(), 0);
  EXPECT_THAT(Report({ClockThatIs(kMaxSkew, std::nullopt)}), IsEmpty());
  EXPECT_EQ(Metric(), 10);
  EXPECT_THAT(Report({ClockThatIs(-kHour, kHour - kSecond)}),
              AllOf(HasSubstr("max_clock_skew=10s"), HasSubstr("the clock of other is at least 59m59s behind"),
                    HasSubstr("nothing tells which clock is wrong")));
  EXPECT_THAT(Report({ClockThatIs(kHour, std::nullopt)}), IsEmpty());
  EXPECT_EQ(Metric(), 3600);
  EXPECT_THAT(Report({}), HasSubstr("no clock of another server differs"));
  EXPECT_EQ(Metric(), 0);
}

TEST_F(ClockSkewWatchTest, OfThreeClocksTheOddOneIsToldFromTheOthers) {
  OtherClock odd = ClockThatIs(kHour, std::nullopt);
  odd.server_id = "odd";
  const OtherClock right = ClockThatIs(-kSecond, -kSecond);
  EXPECT_THAT(Report({right, odd}), AllOf(HasSubstr("the clock of odd is at least 1h ahead of this server's"),
                                          HasSubstr("most clocks agree with this server's")));
  EXPECT_THAT(Report({ClockThatIs(kHour, std::nullopt), odd}), HasSubstr("no other clock agrees with this server's"));
}

// Servers that share a store, each with a clock of its own.
class LeaseClocksTest : public testing::Test {
 protected:
  static OtherClock OnlyClock(const WorkLeases& leases) {
    const std::vector<OtherClock> clocks = leases.Clocks();
    EXPECT_THAT(clocks, SizeIs(1));
    return clocks.empty() ? OtherClock() : clocks[0];
  }
  // As each does every third of a lease.
  static void Tend(WorkLeases& leases) {
    EXPECT_THAT(leases.Look(), IsOk());
    EXPECT_THAT(leases.Renew(), IsOk());
  }

  const TempDir dir_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  ManualClock clock_;
  ManualClock other_clock_;
  WorkLeases leases_{*store_, clock_, kLease, "this"};
  WorkLeases other_{*store_, other_clock_, kLease, "other"};
};

TEST_F(LeaseClocksTest, BothServersFindTheSameSkewWhicheverLooksFirst) {
  other_clock_.Jump(kHour);
  Tend(leases_);
  Tend(other_);
  EXPECT_EQ(OnlyClock(other_).ahead, -kHour);
  EXPECT_EQ(SureSkew(OnlyClock(other_)), absl::ZeroDuration()) << "the lease of `this` may be an hour old";
  Tend(leases_);
  EXPECT_EQ(SureSkew(OnlyClock(leases_)), kHour);
  Tend(other_);
  EXPECT_EQ(SureSkew(OnlyClock(other_)), -kHour) << "`this` has told it";
  EXPECT_EQ(OnlyClock(other_).server_id, "this");
}

TEST_F(LeaseClocksTest, TimeBetweenALookAndTheRenewalMakesTheSkewLessSureAndNeverGreater) {
  for (const absl::Duration skew : {absl::ZeroDuration(), kHour, -kHour}) {
    other_clock_.Jump(skew);
    for (int i = 0; i < 3; ++i) {
      for (WorkLeases* each : {&leases_, &other_}) {
        Tend(*each);
        clock_.Advance(5 * kSecond);
        other_clock_.Advance(5 * kSecond);
      }
    }
    const absl::Duration found = SureSkew(OnlyClock(leases_));
    EXPECT_LE(absl::AbsDuration(found), absl::AbsDuration(skew));
    EXPECT_GE(absl::AbsDuration(found), absl::AbsDuration(skew) - 5 * kSecond);
    EXPECT_EQ(found > absl::ZeroDuration(), skew > absl::ZeroDuration());
    other_clock_.Jump(-skew);
  }
}

TEST_F(LeaseClocksTest, ALeaseThatStaysTheSameTellsWhatItToldAtFirst) {
  ASSERT_THAT(other_.Renew(), IsOk());
  other_clock_.Jump(kHour);
  ASSERT_THAT(leases_.Look(), IsOk());
  clock_.Advance(20 * kSecond);
  ASSERT_THAT(leases_.Look(), IsOk());
  EXPECT_EQ(OnlyClock(leases_).ahead, absl::ZeroDuration());
  EXPECT_EQ(OnlyClock(leases_).silent_for, 20 * kSecond);
  EXPECT_EQ(OnlyClock(leases_).watched_for, 20 * kSecond);
  EXPECT_FALSE(OnlyClock(leases_).renewed);
  ASSERT_THAT(other_.Renew(), IsOk());
  ASSERT_THAT(leases_.Look(), IsOk());
  EXPECT_EQ(OnlyClock(leases_).ahead, kHour - 20 * kSecond);
  EXPECT_EQ(OnlyClock(leases_).silent_for, absl::ZeroDuration());
  EXPECT_TRUE(OnlyClock(leases_).renewed);
}

TEST_F(LeaseClocksTest, AnEarlierRunOfTheSameServerIsNoOtherServer) {
  WorkLeases earlier(*store_, other_clock_, kLease, "this");
  ASSERT_THAT(earlier.Renew(), IsOk());
  ASSERT_THAT(leases_.Look(), IsOk());
  EXPECT_THAT(leases_.Clocks(), IsEmpty());
}

}  // namespace
}  // namespace hapax
