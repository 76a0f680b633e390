#include "hapax/interceptors/token_quota.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/bits.h"
#include "absl/strings/str_cat.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/status_macros.h"
#include "hapax/storage/timestamps.h"
#include "hapax/storage/token_table.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {
namespace {

using store::v1::TokenCountRow;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
// Into so many parts at least the time of a token is divided.
constexpr int64_t kParts = 16;

std::string CountsPrefix() { return KeyBuilder().String("token_count").Build(); }
std::string CountKey(std::string_view tenant) { return KeyBuilder().String("token_count").String(tenant).Build(); }

// One tenant's tokens, as in its row.
class Counts {
 public:
  Counts() = default;
  explicit Counts(const TokenCountRow& row) {
    for (const TokenCountRow::Class& some : row.classes()) {
      by_end_.emplace_back(some.forgotten_at_micros(), some.tokens());
    }
  }

  void Forget(absl::Time now) {
    const int64_t now_micros = absl::ToUnixMicros(now);
    std::erase_if(by_end_, [&](const auto& entry) { return entry.first <= now_micros; });
  }

  void Add(absl::Time forget_at, absl::Time now) {
    const std::pair<int64_t, int64_t> entry(EndOf(forget_at, now), 1);
    const auto place = std::lower_bound(by_end_.begin(), by_end_.end(), entry.first,
                                        [](const auto& its, int64_t end) { return its.first < end; });
    if (place != by_end_.end() && place->first == entry.first) {
      ++place->second;
    } else {
      by_end_.insert(place, entry);
    }
  }

  [[nodiscard]] int64_t Sum() const {
    return std::accumulate(by_end_.begin(), by_end_.end(), int64_t{0},
                           [](int64_t sum, const auto& entry) { return sum + entry.second; });
  }
  // When there will be fewer than so many, if none comes; the infinite future: never.
  [[nodiscard]] absl::Time FewerThan(int64_t limit) const {
    int64_t left = Sum();
    for (const auto& [end, tokens] : by_end_) {
      left -= tokens;
      if (left < limit) return end == kNever ? absl::InfiniteFuture() : absl::FromUnixMicros(end);
    }
    return absl::InfiniteFuture();
  }

  [[nodiscard]] TokenCountRow ToRow() const {
    TokenCountRow row;
    for (const auto& [end, tokens] : by_end_) {
      TokenCountRow::Class& some = *row.add_classes();
      some.set_forgotten_at_micros(end);
      some.set_tokens(tokens);
    }
    return row;
  }

 private:
  // `forget_at`, put off to a multiple of a power of 2, so that there are few such times.
  static int64_t EndOf(absl::Time forget_at, absl::Time now) {
    if (forget_at == absl::InfiniteFuture()) return kNever;
    const int64_t end = absl::ToUnixMicros(forget_at);
    const int64_t part = std::max<int64_t>((end - absl::ToUnixMicros(now)) / kParts, 1);
    const auto width = static_cast<int64_t>(absl::bit_floor(static_cast<uint64_t>(part)));
    return end + (width - end % width) % width;
  }

  std::vector<std::pair<int64_t, int64_t>> by_end_;  // When they are forgotten, ascending, and how many.
};

absl::StatusOr<Counts> CountsOf(std::string_view tenant, absl::Time now, const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<TokenCountRow>(txn, Table::kMeta, CountKey(tenant)));
  Counts counts = row.has_value() ? Counts(*row) : Counts();
  counts.Forget(now);
  return counts;
}

std::string RoomAt(absl::Time time) {
  if (time == absl::InfiniteFuture()) return "no room will come, as abandoned tokens are kept for good";
  return absl::StrCat("there is room from ", absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()), " on");
}

}  // namespace

absl::Status CountToken(const TokenPolicy& policy, std::string_view tenant, absl::Time forget_at, absl::Time now,
                        Transaction& txn) {
  if (policy.max_tokens_per_tenant == 0) return absl::OkStatus();
  HAPAX_ASSIGN_OR_RETURN(Counts counts, CountsOf(tenant, now, txn));
  if (counts.Sum() >= policy.max_tokens_per_tenant) {
    return Refuse(
        Reason::kQuotaExceeded,
        absl::StrCat("the tenant has as many tokens stored as it may: max_tokens_per_tenant is ",
                     policy.max_tokens_per_tenant, "; ", RoomAt(counts.FewerThan(policy.max_tokens_per_tenant))));
  }
  counts.Add(forget_at, now);
  PutRow(txn, Table::kMeta, CountKey(tenant), counts.ToRow());
  return absl::OkStatus();
}

absl::StatusOr<int64_t> StoredTokens(std::string_view tenant, absl::Time now, const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const Counts counts, CountsOf(tenant, now, txn));
  return counts.Sum();
}

absl::Status CountAllTokens(absl::Time now, Transaction& txn) {
  std::map<std::string, Counts> by_tenant;
  // Those that have tokens no more, too.
  HAPAX_RETURN_IF_ERROR(
      txn.Scan(Table::kMeta, KeyRange::Prefix(CountsPrefix()), [&](std::string_view bytes, std::string_view /*value*/) {
        KeyParser parser(bytes);
        static_cast<void>(parser.String());
        if (const absl::StatusOr<std::string> tenant = parser.String(); tenant.ok()) by_tenant[*tenant];
        return true;
      }));
  HAPAX_RETURN_IF_ERROR(
      txn.Scan(Table::kTokens, KeyRange::Prefix(""), [&](std::string_view bytes, std::string_view value) {
        const absl::StatusOr<TokenKey> key = DecodeTokenKey(bytes);
        if (!key.ok()) return true;  // Whoever asks for it is told.
        store::v1::TokenRecord record;
        const bool ends = DecodeRow(bytes, value, &record).ok() && record.has_forget_at();
        const absl::Time forget_at = ends ? FromTimestamp(record.forget_at()) : absl::InfiniteFuture();
        if (forget_at > now) by_tenant[key->tenant].Add(forget_at, now);
        return true;
      }));
  for (const auto& [tenant, counts] : by_tenant) PutRow(txn, Table::kMeta, CountKey(tenant), counts.ToRow());
  return absl::OkStatus();
}

}  // namespace hapax
