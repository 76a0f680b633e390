#ifndef HAPAX_BENCH_HISTOGRAM_H_
#define HAPAX_BENCH_HISTOGRAM_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hapax::bench {

// Counts durations in buckets of a fixed layout, 128 for each power of two. So a percentile is at most 0.8% too high,
// and recording allocates nothing.
//
// Thread-safety: none. Each thread records into its own; Merge() combines them.
class Histogram {
 public:
  // Counts a duration. A negative one counts as 0, one above 18 minutes as 18 minutes.
  void Record(std::chrono::nanoseconds duration);

  // Adds the counts of `other`.
  void Merge(const Histogram& other);

  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] std::chrono::nanoseconds max() const { return max_; }

  // The least recorded duration that at least this fraction (0 to 1) does not exceed, rounded up to the end of its
  // bucket; zero if none was recorded.
  [[nodiscard]] std::chrono::nanoseconds Percentile(double fraction) const;

 private:
  static constexpr int kSubBucketBits = 7;
  static constexpr int kValueBits = 40;
  static constexpr size_t kBuckets = size_t{kValueBits - kSubBucketBits + 1} << kSubBucketBits;

  static size_t BucketOf(uint64_t nanoseconds);
  static uint64_t LastOf(size_t bucket);

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
  std::chrono::nanoseconds max_{0};
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_HISTOGRAM_H_
