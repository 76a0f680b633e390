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
// wall clock may be wrong at any moment, so it alone never makes a token free.
//
//   while the server runs     follows the wall clock, but no faster than monotonic time, and never back
//   across a stop             follows the wall clock, but by no more than the machine was up meanwhile; after a
//                             reboot, by at most kMaxStepAcrossBoots
//
// So the mark lags when a clock was ahead, or when the machine was down for long. Tokens are kept for longer then,
// which does no harm. An operator can move it forward (LoadOptions::passed).
//
// The mark is a row of table meta. Judgements for replies may use a later mark than the row has. A compaction drops
// rows for good, so it uses durable(), which the row has reached.
//
// Thread-safety: safe, but Load comes before everything else. Without Load it begins at the wall clock's time, for
// tests.
// Lifetime: `clock` outlives it.
class TokenTime {
 public:
  static constexpr absl::Duration kMaxStepAcrossBoots = absl::Hours(1);

  explicit TokenTime(const Clock& clock);
  TokenTime(const TokenTime&) = delete;
  TokenTime& operator=(const TokenTime&) = delete;

  struct LoadOptions {
    // The shortest time from a token's execution until it is forgotten, under the current policy.
    absl::Duration shortest_life;
    // The most time that counts as passed since another boot wrote the row. Less beside servers that write it often,
    // lest the starts of one with a clock that is ahead add up.
    absl::Duration max_step_across_boots = kMaxStepAcrossBoots;
    // The time that an operator knows to have passed; used as far as the wall clock agrees.
    absl::Time passed = absl::InfinitePast();
  };
  // Continues from the row. A store of an older version has tokens and no row: Load reads all tokens and continues from
  // the newest. Errors: those of the store.
  [[nodiscard]] absl::Status Load(Store& store, const LoadOptions& options);
  // Writes the mark to its row. If the row has a later one, of another server that shares the store, that becomes the
  // mark. Blocks. Errors: those of the store.
  [[nodiscard]] absl::Status Save(Store& store);

  // The mark. Read a row before asking for the mark to judge it: a row that is gone by then was forgotten by an earlier
  // mark.
  [[nodiscard]] absl::Time Now() const { return At(clock_.Now()); }
  // Like Now, given a wall clock just read.
  [[nodiscard]] absl::Time At(absl::Time wall) const;
  // The time at which the life of a record written now begins. It is the mark, or the time to which the mark jumps once
  // a slow clock is corrected, so that the correction shortens no life. If the clock was behind the row's mark at Load,
  // it is at least the time of the other servers, which advanced their marks meanwhile.
  [[nodiscard]] absl::Time ForLife(absl::Time wall) const;
  // The mark as last written to its row; the infinite past before Load. Lives as long as this object.
  [[nodiscard]] const TimeSource& durable() const { return durable_; }

  // Whether any token of this store may have been forgotten so far.
  [[nodiscard]] bool MayHaveForgotten() const { return Now() >= first_forget_at_; }
  // The time that judges the age of a token that states when it was made and has no record.
  [[nodiscard]] absl::Time ForAge() const;
  // The latest possible time, by the wall clock or by the time that has passed.
  [[nodiscard]] absl::Time Latest() const;
  // Latest as a TimeSource. Lives as long as this object.
  [[nodiscard]] const TimeSource& latest() const { return latest_; }
  // By how much the wall clock is ahead of the mark; negative when it is behind.
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

  // Returns the mark, which is at least `nanos` from then on.
  int64_t Raise(int64_t nanos) const;
  [[nodiscard]] absl::Time Passed() const { return base_ + (clock_.Monotonic() - base_monotonic_); }

  const Clock& clock_;
  // The time at which it began, the latest that this may truly have been, and the monotonic time then.
  absl::Time base_;
  absl::Time latest_base_;
  absl::Duration base_monotonic_;
  mutable std::atomic<int64_t> mark_nanos_;
  // The wall clock's time when the store was made; and the mark before which none of its tokens is forgotten.
  absl::Time began_at_ = absl::InfinitePast();
  absl::Time first_forget_at_ = absl::InfinitePast();
  Durable durable_;
  const LatestTime latest_{*this};
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TIME_H_
