#include "hapax/bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hapax::bench {

void Histogram::Record(std::chrono::nanoseconds duration) {
  constexpr std::chrono::nanoseconds kMax((int64_t{1} << kValueBits) - 1);
  duration = std::clamp(duration, std::chrono::nanoseconds(0), kMax);
  ++counts_[BucketOf(static_cast<uint64_t>(duration.count()))];
  ++count_;
  max_ = std::max(max_, duration);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) counts_[bucket] += other.counts_[bucket];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds Histogram::Percentile(double fraction) const {
  if (count_ == 0) return std::chrono::nanoseconds(0);
  const double exact_rank = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(exact_rank), 1, count_);
  size_t bucket = 0;
  while (counts_[bucket] < rank) rank -= counts_[bucket++];
  return std::min(std::chrono::nanoseconds(static_cast<int64_t>(LastOf(bucket))), max_);
}

// Below 2^kSubBucketBits each nanosecond has a bucket. Above, the bits after the leading one select the bucket within a
// power of two.
size_t Histogram::BucketOf(uint64_t nanoseconds) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(nanoseconds)) - kSubBucketBits - 1);
  return (static_cast<size_t>(shift) << kSubBucketBits) + static_cast<size_t>(nanoseconds >> shift);
}

uint64_t Histogram::LastOf(size_t bucket) {
  constexpr size_t kSubBuckets = size_t{1} << kSubBucketBits;
  if (bucket < 2 * kSubBuckets) return bucket;
  const size_t shift = (bucket >> kSubBucketBits) - 1;
  const uint64_t leading = (bucket & (kSubBuckets - 1)) + kSubBuckets;
  return ((leading + 1) << shift) - 1;
}

}  // namespace hapax::bench
