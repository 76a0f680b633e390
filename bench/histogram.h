#ifndef HAPAX_BENCH_HISTOGRAM_H_
#define HAPAX_BENCH_HISTOGRAM_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hapax::bench {

// Durations, counted in buckets of a fixed layout: each power of two is divided into 128 of them, so that a
// percentile is at most 0.8% too high, and recording one allocates nothing.
//
// Thread-safety: none. A thread records into one of its own; Merge() brings them together.
class Histogram {
 public:
  // Counts a duration. A negative one counts as 0, one above 18 minutes as that.
  void Record(std::chrono::nanoseconds duration);

  // Counts all that `other` counted.
  void Merge(const Histogram& other);

  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] std::chrono::nanoseconds max() const { return max_; }

  // The least duration that at least this fraction (0 to 1) of those recorded do not exceed, rounded up to the
  // end of its bucket; zero when there is none.
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
