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
#include "hapax/storage/blocking.h"
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
std::string CountedKey() { return KeyBuilder().String("tokens_counted").Build(); }

// One tenant's tokens, as in its row.
class Counts {
 public:
  Counts() = default;
  explicit Counts(const TokenCountRow& row) {
    const int size = std::min(row.forgotten_at_micros_size(), row.tokens_size());
    for (int i = 0; i < size; ++i) by_end_.emplace_back(row.forgotten_at_micros(i), row.tokens(i));
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
  // Requires that there is a token.
  [[nodiscard]] absl::Time NextForgotten() const {
    return by_end_.front().first == kNever ? absl::InfiniteFuture() : absl::FromUnixMicros(by_end_.front().first);
  }

  [[nodiscard]] TokenCountRow ToRow() const {
    TokenCountRow row;
    for (const auto& [end, tokens] : by_end_) {
      row.add_forgotten_at_micros(end);
      row.add_tokens(tokens);
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

absl::Status DeleteCounts(Transaction& txn) {
  std::vector<std::string> keys;
  HAPAX_RETURN_IF_ERROR(
      txn.Scan(Table::kMeta, KeyRange::Prefix(CountsPrefix()), [&](std::string_view key, std::string_view /*value*/) {
        keys.emplace_back(key);
        return true;
      }));
  for (std::string& key : keys) txn.Delete(Table::kMeta, std::move(key));
  txn.Delete(Table::kMeta, CountedKey());
  return absl::OkStatus();
}

absl::Status CountAll(absl::Time now, Transaction& txn) {
  std::map<std::string, Counts> by_tenant;
  HAPAX_RETURN_IF_ERROR(
      txn.Scan(Table::kTokens, KeyRange::Prefix(""), [&](std::string_view bytes, std::string_view value) {
        const absl::StatusOr<TokenKey> key = DecodeTokenKey(bytes);
        if (!key.ok()) return true;  // Whoever asks for it is told.
        store::v1::TokenRecord record;
        const bool forgotten = DecodeRow(bytes, value, &record).ok() && record.has_forget_at();
        const absl::Time forget_at = forgotten ? FromTimestamp(record.forget_at()) : absl::InfiniteFuture();
        if (forget_at > now) by_tenant[key->tenant].Add(forget_at, now);
        return true;
      }));
  for (const auto& [tenant, counts] : by_tenant) PutRow(txn, Table::kMeta, CountKey(tenant), counts.ToRow());
  PutRow(txn, Table::kMeta, CountedKey(), store::v1::TokensCountedRow());
  return absl::OkStatus();
}

}  // namespace

absl::Status CountToken(const TokenPolicy& policy, std::string_view tenant, absl::Time forget_at, absl::Time now,
                        Transaction& txn) {
  if (policy.max_tokens_per_tenant == 0) return absl::OkStatus();
  HAPAX_ASSIGN_OR_RETURN(Counts counts, CountsOf(tenant, now, txn));
  if (counts.Sum() >= policy.max_tokens_per_tenant) {
    return Refuse(Reason::kQuotaExceeded,
                  absl::StrCat("the tenant has as many tokens stored as it may: max_tokens_per_tenant is ",
                               policy.max_tokens_per_tenant, "; the next are forgotten at ",
                               absl::FormatTime(absl::RFC3339_sec, counts.NextForgotten(), absl::UTCTimeZone())));
  }
  counts.Add(forget_at, now);
  PutRow(txn, Table::kMeta, CountKey(tenant), counts.ToRow());
  return absl::OkStatus();
}

absl::StatusOr<int64_t> StoredTokens(std::string_view tenant, absl::Time now, const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const Counts counts, CountsOf(tenant, now, txn));
  return counts.Sum();
}

absl::Status PrepareTokenCounts(const TokenPolicy& policy, absl::Time now, Store& store) {
  return ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto counted, txn.Get(Table::kMeta, CountedKey()));
    const bool is_limited = policy.max_tokens_per_tenant > 0;
    if (counted.has_value() == is_limited) return absl::OkStatus();
    return is_limited ? CountAll(now, txn) : DeleteCounts(txn);
  });
}

}  // namespace hapax
