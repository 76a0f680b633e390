#include "hapax/bench/histogram.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/random/log_uniform_int_distribution.h"
#include "absl/random/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::bench {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, WithoutAnyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.Percentile(0.5), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds(0));
}

TEST(Histogram, OneIsEveryPercentile) {
  Histogram histogram;
  histogram.Record(nanoseconds(123'456'789));
  for (const double fraction : {0.0, 0.5, 0.999, 1.0}) {
    EXPECT_EQ(histogram.Percentile(fraction), nanoseconds(123'456'789)) << fraction;
  }
}

TEST(Histogram, APercentileIsTheLeastThatSoManyDoNotExceed) {
  Histogram histogram;
  for (int i = 1; i <= 200; ++i) histogram.Record(nanoseconds(i));
  EXPECT_EQ(histogram.Percentile(0.0), nanoseconds(1));
  EXPECT_EQ(histogram.Percentile(0.5), nanoseconds(100));
  EXPECT_EQ(histogram.Percentile(0.501), nanoseconds(101));
  EXPECT_EQ(histogram.Percentile(0.99), nanoseconds(198));
  EXPECT_EQ(histogram.Percentile(1.0), nanoseconds(200));
}

TEST(Histogram, IsNeverTooLowAndAtMostAHundredthTooHigh) {
  absl::BitGen random;
  std::vector<int64_t> values;
  Histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(absl::log_uniform_int_distribution<int64_t>(0, int64_t{1} << 39)(random));
    histogram.Record(nanoseconds(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(fraction * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.Percentile(fraction).count());
    EXPECT_GE(found, exact) << fraction;
    EXPECT_LE(found, exact * 1.008) << fraction;
  }
  EXPECT_EQ(histogram.max(), nanoseconds(values.back()));
}

TEST(Histogram, BucketsFollowOneAnotherWithoutAGap) {
  for (int power = 0; power < 40; ++power) {
    for (const int64_t offset : {-1, 0, 1}) {
      const int64_t value = (int64_t{1} << power) + offset;
      Histogram histogram;
      histogram.Record(nanoseconds(value));
      histogram.Record(nanoseconds(2 * value + 2));
      const int64_t found = histogram.Percentile(0.5).count();
      EXPECT_GE(found, value);
      EXPECT_LE(found, value + value / 128);
    }
  }
}

TEST(Histogram, WhatIsOutsideItsRangeIsItsEnd) {
  Histogram histogram;
  histogram.Record(nanoseconds(-1));
  EXPECT_EQ(histogram.Percentile(1.0), nanoseconds(0));
  histogram.Record(std::chrono::hours(10'000));
  EXPECT_EQ(histogram.Percentile(1.0), nanoseconds((int64_t{1} << 40) - 1));
  EXPECT_EQ(histogram.count(), 2);
}

TEST(Histogram, MergedIsAsIfRecordedInOne) {
  Histogram odd;
  Histogram even;
  Histogram all;
  for (int i = 1; i <= 100'000; i += 7) {
    (i % 2 == 0 ? even : odd).Record(nanoseconds(i));
    all.Record(nanoseconds(i));
  }
  odd.Merge(even);
  EXPECT_EQ(odd.count(), all.count());
  EXPECT_EQ(odd.max(), all.max());
  for (const double fraction : {0.1, 0.5, 0.9, 0.99}) EXPECT_EQ(odd.Percentile(fraction), all.Percentile(fraction));
}

}  // namespace
}  // namespace hapax::bench
