#include "hapax/interceptors/idempotency/token_time.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/paged_scan.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {
namespace {

using store::v1::TokenTimeRow;

// Tolerance between the wall clock and the monotonic clock, which are read one after the other and may be slewed apart.
constexpr absl::Duration kClockGrain = absl::Milliseconds(100);

std::string MetaKey() { return KeyBuilder().String("token_time").Build(); }

TokenTimeRow RowOf(absl::Time mark, const Uptime& uptime, absl::Time began_at, absl::Time first_forget_at) {
  TokenTimeRow row;
  *row.mutable_time() = ToTimestamp(mark);
  row.set_boot_id(uptime.boot_id);
  *row.mutable_uptime() = ToProtoDuration(uptime.elapsed);
  if (began_at != absl::InfinitePast()) *row.mutable_began_at() = ToTimestamp(began_at);
  if (first_forget_at != absl::InfinitePast()) *row.mutable_first_forget_at() = ToTimestamp(first_forget_at);
  return row;
}

Uptime UptimeOf(const TokenTimeRow& row) {
  return {.boot_id = row.boot_id(), .elapsed = FromProtoDuration(row.uptime())};
}

// The maximum time that may have passed since the row was written.
absl::Duration MaxStepSince(const TokenTimeRow& row, const Uptime& now, absl::Duration across_boots) {
  if (now.boot_id.empty() || row.boot_id() != now.boot_id) return across_boots;
  const absl::Duration since = now.elapsed - FromProtoDuration(row.uptime());
  // A container may count from its own start, which came later.
  return since >= absl::ZeroDuration() ? since : now.elapsed;
}

// When the newest token was executed or abandoned; nullopt when there is none. Reads all tokens, in pages.
absl::StatusOr<std::optional<absl::Time>> NewestToken(Store& store) {
  std::optional<absl::Time> newest;
  const auto visit = [&newest](std::string_view key, std::string_view value) {
    store::v1::TokenRecord record;
    absl::Time time = absl::InfinitePast();  // For a damaged row, which is reported to whoever reads it.
    if (DecodeRow(key, value, &record).ok()) {
      time = FromTimestamp(record.has_abandoned_at() ? record.abandoned_at() : record.executed_at());
    }
    newest = std::max(newest.value_or(time), time);
  };
  HAPAX_RETURN_IF_ERROR(PagedScan(store, Table::kTokens, KeyRange::Prefix(""), visit));
  return newest;
}

absl::StatusOr<bool> HasRow(Store& store) {
  bool found = false;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store, [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<TokenTimeRow>(txn, Table::kMeta, MetaKey()));
    found = row.has_value();
    return absl::OkStatus();
  }));
  return found;
}

}  // namespace

TokenTime::Durable::Durable() : nanos(std::numeric_limits<int64_t>::min()) {}

absl::Time TokenTime::Durable::Now() const {
  const int64_t now = nanos.load(std::memory_order_acquire);
  return now == std::numeric_limits<int64_t>::min() ? absl::InfinitePast() : absl::FromUnixNanos(now);
}

TokenTime::TokenTime(const Clock& clock)
    : clock_(clock), base_monotonic_(clock.Monotonic()), mark_nanos_(std::numeric_limits<int64_t>::min()) {
  base_ = latest_base_ = clock.Now();
}

absl::Status TokenTime::Load(Store& store, const LoadOptions& options) {
  base_monotonic_ = clock_.Monotonic();  // Read first, so that the time meanwhile counts.
  const Uptime uptime = clock_.SinceBoot();
  const absl::Time wall = clock_.Now();
  // Too many to be read by the transaction below. Whoever writes a token meanwhile has loaded before, so that there is
  // a row by then, and the row counts.
  HAPAX_ASSIGN_OR_RETURN(const bool has_row, HasRow(store));
  HAPAX_ASSIGN_OR_RETURN(const auto newest, has_row ? std::optional<absl::Time>() : NewestToken(store));
  const absl::Status status = ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<TokenTimeRow>(txn, Table::kMeta, MetaKey()));
    began_at_ = first_forget_at_ = absl::InfinitePast();
    latest_base_ = absl::InfinitePast();
    if (row.has_value()) {
      const absl::Time mark = FromTimestamp(row->time());
      const absl::Time latest = mark + MaxStepSince(*row, uptime, options.max_step_across_boots);
      base_ = std::max(mark, std::min(wall, latest));
      if (mark - wall > kClockGrain) latest_base_ = latest;
      if (row->has_began_at()) began_at_ = FromTimestamp(row->began_at());
      if (row->has_first_forget_at()) {
        first_forget_at_ = std::min(FromTimestamp(row->first_forget_at()), base_ + options.shortest_life);
      }
    } else if (newest.has_value()) {
      base_ = std::min(wall, *newest + kMaxStepAcrossBoots);
    } else {
      base_ = began_at_ = wall;
      first_forget_at_ = base_ + options.shortest_life;
    }
    base_ = std::max(base_, std::min(wall, options.passed));
    latest_base_ = std::max(latest_base_, base_);
    // If the mark stays, so does when it was written. Else the next start would take it for the mark of now.
    const bool stays = row.has_value() && base_ == FromTimestamp(row->time());
    const Uptime written = stays ? UptimeOf(*row) : uptime;
    PutRow(txn, Table::kMeta, MetaKey(), RowOf(base_, written, began_at_, first_forget_at_));
    return absl::OkStatus();
  });
  HAPAX_RETURN_IF_ERROR(status);
  mark_nanos_.store(absl::ToUnixNanos(base_));
  // The row has a resolution of microseconds.
  durable_.nanos.store(absl::ToUnixMicros(base_) * 1000, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status TokenTime::Save(Store& store) {
  const Uptime uptime = clock_.SinceBoot();
  const absl::Time own = Now();
  absl::Time mark = own;
  HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<TokenTimeRow>(txn, Table::kMeta, MetaKey()));
    mark = row.has_value() ? std::max(own, FromTimestamp(row->time())) : own;
    if (mark == own) PutRow(txn, Table::kMeta, MetaKey(), RowOf(mark, uptime, began_at_, first_forget_at_));
    return absl::OkStatus();
  }));
  Raise(absl::ToUnixNanos(mark));
  durable_.nanos.store(absl::ToUnixMicros(mark) * 1000, std::memory_order_release);
  return absl::OkStatus();
}

int64_t TokenTime::Raise(int64_t nanos) const {
  int64_t mark = mark_nanos_.load(std::memory_order_relaxed);
  while (nanos > mark) {
    if (mark_nanos_.compare_exchange_weak(mark, nanos, std::memory_order_relaxed)) return nanos;
  }
  return mark;
}

absl::Time TokenTime::At(absl::Time wall) const {
  const absl::Time now = std::min(wall, Passed());
  const int64_t nanos = absl::ToUnixNanos(now);
  const int64_t mark = Raise(nanos);
  return mark == nanos ? now : absl::FromUnixNanos(mark);
}

absl::Time TokenTime::ForLife(absl::Time wall) const {
  const absl::Time mark = At(wall);
  const absl::Time latest = Passed() + (latest_base_ - base_);
  return latest - mark > kClockGrain ? latest : mark;
}

// If the clock was ahead when the store was made, the mark is ahead, too. By the mark, every token made now would be
// refused until the clock catches up. As long as no token has been forgotten, the clock decides the age.
absl::Time TokenTime::ForAge() const {
  const absl::Time wall = clock_.Now();
  const absl::Time mark = At(wall);
  return wall < began_at_ && mark < first_forget_at_ ? wall : mark;
}

absl::Time TokenTime::Latest() const { return std::max(clock_.Now(), Passed()); }

absl::Duration TokenTime::ClockAhead() const {
  const absl::Time wall = clock_.Now();
  return wall - At(wall);
}

}  // namespace hapax
