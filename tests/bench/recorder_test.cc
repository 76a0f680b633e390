#include "hapax/bench/recorder.h"

#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Instant kFrom = Instant(seconds(1000));
constexpr Window kWindow{kFrom, kFrom + seconds(2)};

TEST(Recorder, ALatencyCountsFromWhenTheCallWasDue) {
  Recorder recorder(kWindow);
  // The server stalled: this call had to wait a second before it could even be sent.
  recorder.Succeeded(kFrom, kFrom + seconds(1), kFrom + seconds(1) + microseconds(100), 10);
  EXPECT_THAT(recorder.Json(), HasSubstr("\"p50_us\": 1000100.0"));
  EXPECT_THAT(recorder.Json(), HasSubstr("\"late_p99_us\": 1000000.0"));
}

TEST(Recorder, ThroughputIsOfCallsThatEndedInTheWindow) {
  Recorder recorder(kWindow);
  recorder.Succeeded(kFrom - seconds(1), kFrom - seconds(1), kFrom - milliseconds(1), 10);  // Warm-up.
  recorder.Succeeded(kFrom - seconds(1), kFrom - seconds(1), kFrom + milliseconds(1), 20);
  recorder.Succeeded(kFrom + seconds(1), kFrom + seconds(1), kFrom + milliseconds(1001), 30);
  recorder.Succeeded(kFrom + seconds(1), kFrom + seconds(1), kFrom + seconds(3), 10);
  EXPECT_THAT(recorder.Json(), HasSubstr("\"completed\": 2, \"rps\": 1.0"));
  EXPECT_THAT(recorder.Json(), HasSubstr("\"reply_bytes\": 25.0"));
}

TEST(Recorder, LatenciesAreOfCallsThatWereDueInTheWindowHoweverLateTheyEnd) {
  Recorder recorder(kWindow);
  recorder.Succeeded(kFrom - seconds(1), kFrom - seconds(1), kFrom + milliseconds(1), 10);
  recorder.Succeeded(kFrom + seconds(1), kFrom + seconds(1), kFrom + seconds(11), 10);
  EXPECT_THAT(recorder.Json(), HasSubstr("\"calls\": 1, \"p50_us\": 10000000.0"));
}

TEST(Recorder, AFailedCallIsNoCall) {
  Recorder recorder(kWindow);
  recorder.Failed("first");
  recorder.Failed("second");
  EXPECT_EQ(recorder.errors(), 2);
  EXPECT_EQ(recorder.first_error(), "first");
  EXPECT_THAT(recorder.Json(), HasSubstr("\"completed\": 0"));
  EXPECT_THAT(recorder.Json(), HasSubstr("\"errors\": 2"));
}

TEST(Recorder, ARefusedCallIsNoCallAndNoError) {
  Recorder recorder(kWindow);
  recorder.Refused(kFrom - milliseconds(1));  // Warm-up.
  recorder.Refused(kFrom);
  Recorder other(kWindow);
  other.Refused(kFrom + milliseconds(1));
  recorder.Merge(other);
  EXPECT_THAT(recorder.Json(), HasSubstr("\"completed\": 0"));
  EXPECT_THAT(recorder.Json(), HasSubstr("\"refused\": 2, \"errors\": 0"));
}

TEST(Recorder, MergedHasWhatBothRecorded) {
  Recorder one(kWindow);
  Recorder other(kWindow);
  one.Succeeded(kFrom, kFrom, kFrom + milliseconds(1), 10);
  other.Succeeded(kFrom, kFrom, kFrom + milliseconds(3), 30);
  other.Failed("theirs");
  one.Merge(other);
  EXPECT_EQ(one.errors(), 1);
  EXPECT_EQ(one.first_error(), "theirs");
  EXPECT_THAT(one.Json(), HasSubstr("\"completed\": 2"));
  EXPECT_THAT(one.Json(), HasSubstr("\"reply_bytes\": 20.0"));
  EXPECT_THAT(one.Json(), HasSubstr("\"max_us\": 3000.0"));
}

}  // namespace
}  // namespace hapax::bench
