#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TIME_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TIME_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/storage/store.h"

namespace hapax {

// The time by which tokens expire and are forgotten (C17, C29): a high-water mark of time that has truly passed. The
// wall clock may say anything at any moment, so it alone never makes a token free.
//
//   while the server runs     as far as the wall clock, but no faster than monotonic time; never back
//   across a stop             as far as the wall clock, but by no more than the machine was up meanwhile; when the
//                             machine was started anew, by kMaxStepAcrossBoots at the most
//
// So it stays behind where a clock was ahead, or a machine was down for long: tokens are kept for longer, and no harm
// is done. An operator who knows better says so (LoadOptions::passed).
//
// The mark is a row of table meta. What is judged for a reply may run ahead of the row. What drops rows for good, a
// compaction, asks durable(), which the row has reached.
//
// Thread-safety: safe, but Load comes before everything else. Not loaded it begins at the wall clock's time, for tests.
// Lifetime: `clock` outlives it.
class TokenTime {
 public:
  static constexpr absl::Duration kMaxStepAcrossBoots = absl::Hours(1);

  explicit TokenTime(const Clock& clock);
  TokenTime(const TokenTime&) = delete;
  TokenTime& operator=(const TokenTime&) = delete;

  struct LoadOptions {
    // The least time from a token's execution until it is forgotten, under today's policy.
    absl::Duration shortest_life;
    // What an operator knows to have passed; counts as far as the wall clock agrees.
    absl::Time passed = absl::InfinitePast();
  };
  // Goes on from the row. A store without it that has tokens is an older version's: it goes on from the newest of them,
  // which reads them all. Errors: the store's.
  [[nodiscard]] absl::Status Load(Store& store, const LoadOptions& options);
  // Writes the mark down. Blocks. Errors: the store's.
  [[nodiscard]] absl::Status Save(Store& store);

  // The mark. To judge a row by it, read the row first: one that is gone by then was forgotten by an earlier time.
  [[nodiscard]] absl::Time Now() const { return At(clock_.Now()); }
  // Likewise, for those who have just read the wall clock.
  [[nodiscard]] absl::Time At(absl::Time wall) const;
  // From which the life counts of what is written now: the mark, or what it comes to as soon as a clock that is behind
  // is set right. So no life is shorter by that.
  [[nodiscard]] absl::Time ForLife(absl::Time wall) const;
  // As far as it is written down; the infinite past before Load. Lives as long as this.
  [[nodiscard]] const TimeSource& durable() const { return durable_; }

  // Whether any token may have been forgotten in this store so far.
  [[nodiscard]] bool MayHaveForgotten() const { return Now() >= first_forget_at_; }
  // By which the age of a token is judged that says when it was made, and of which nothing is known.
  [[nodiscard]] absl::Time ForAge() const;
  // The latest that it may be now, by the wall clock or by what has passed.
  [[nodiscard]] absl::Time Latest() const;
  // Likewise, as a source of times. Lives as long as this.
  [[nodiscard]] const TimeSource& latest() const { return latest_; }
  // By how much the wall clock is ahead of the mark; negative: behind.
  [[nodiscard]] absl::Duration ClockAhead() const;

 private:
  class Durable final : public TimeSource {
   public:
    [[nodiscard]] absl::Time Now() const override;
    std::atomic<int64_t> nanos;
    Durable();
  };
  class LatestTime final : public TimeSource {
   public:
    explicit LatestTime(const TokenTime& time) : time_(time) {}
    [[nodiscard]] absl::Time Now() const override { return time_.Latest(); }

   private:
    const TokenTime& time_;
  };

  [[nodiscard]] absl::Time Passed() const { return base_ + (clock_.Monotonic() - base_monotonic_); }

  const Clock& clock_;
  // Where it began, and the monotonic time of then.
  absl::Time base_;
  absl::Duration base_monotonic_;
  mutable std::atomic<int64_t> mark_nanos_;
  // When the store was made, as the wall clock had it; and before which mark none of its tokens was forgotten.
  absl::Time began_at_ = absl::InfinitePast();
  absl::Time first_forget_at_ = absl::InfinitePast();
  Durable durable_;
  const LatestTime latest_{*this};
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TIME_H_
