#include "hapax/interceptors/idempotency/token_quota.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/bits.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/paged_scan.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {
namespace {

using store::v1::TokenCountRow;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
// The minimum number of parts into which a token's time is divided.
constexpr int64_t kParts = 16;
// The tombstone of an executed token takes less than this.
constexpr int64_t kTombstoneBytes = 512;

std::string CountsPrefix() { return KeyBuilder().String("token_count").Build(); }
std::string CountKey(std::string_view tenant) { return KeyBuilder().String("token_count").String(tenant).Build(); }

std::string AbandonedPrefix() { return KeyBuilder().String("abandoned_token_count").Build(); }
std::string AbandonedKey(std::string_view tenant) {
  return KeyBuilder().String("abandoned_token_count").String(tenant).Build();
}

// Tokens, or bytes of tokens, that end at the same time.
struct Class {
  int64_t end;  // Microseconds since the Unix epoch.
  int64_t tokens;
  int64_t bytes;
};

// The counts of one tenant, as in its row.
class Counts {
 public:
  Counts() = default;
  explicit Counts(const TokenCountRow& row) {
    for (const TokenCountRow::Class& some : row.classes()) {
      by_end_.push_back({.end = some.forgotten_at_micros(), .tokens = some.tokens(), .bytes = some.bytes()});
    }
  }

  void Forget(absl::Time now) {
    const int64_t now_micros = absl::ToUnixMicros(now);
    std::erase_if(by_end_, [&](const Class& some) { return some.end <= now_micros; });
  }

  void Add(absl::Time end_at, int64_t tokens, int64_t bytes, absl::Time now) {
    const int64_t end = EndOf(end_at, now);
    const auto place = std::lower_bound(by_end_.begin(), by_end_.end(), end,
                                        [](const Class& some, int64_t its_end) { return some.end < its_end; });
    if (place != by_end_.end() && place->end == end) {
      place->tokens += tokens;
      place->bytes += bytes;
    } else {
      by_end_.insert(place, {.end = end, .tokens = tokens, .bytes = bytes});
    }
  }
  void AddBytes(const TokenBytes& token, absl::Time now) {
    const int64_t of_tombstone = std::min(token.bytes, kTombstoneBytes);
    Add(token.forget_at, /*tokens=*/0, of_tombstone, now);
    if (token.bytes > of_tombstone && token.expires_at > now) {
      Add(token.expires_at, /*tokens=*/0, token.bytes - of_tombstone, now);
    }
  }

  // The sum of a member of Class: tokens or bytes.
  [[nodiscard]] int64_t Sum(int64_t Class::*number) const {
    return std::accumulate(by_end_.begin(), by_end_.end(), int64_t{0},
                           [&](int64_t sum, const Class& some) { return sum + some.*number; });
  }
  // The time at which the sum falls below `limit` if nothing is added; the infinite future when it never does.
  [[nodiscard]] absl::Time FewerThan(int64_t limit, int64_t Class::*number) const {
    int64_t left = Sum(number);
    for (const Class& some : by_end_) {
      left -= some.*number;
      if (left < limit) return some.end == kNever ? absl::InfiniteFuture() : absl::FromUnixMicros(some.end);
    }
    return absl::InfiniteFuture();
  }

  [[nodiscard]] TokenCountRow ToRow() const {
    TokenCountRow row;
    for (const Class& its : by_end_) {
      TokenCountRow::Class& some = *row.add_classes();
      some.set_forgotten_at_micros(its.end);
      some.set_tokens(its.tokens);
      some.set_bytes(its.bytes);
    }
    return row;
  }

 private:
  // `end_at`, put off to a multiple of a power of 2, so that there are few different ends.
  static int64_t EndOf(absl::Time end_at, absl::Time now) {
    if (end_at == absl::InfiniteFuture()) return kNever;
    const int64_t end = absl::ToUnixMicros(end_at);
    const int64_t part = std::max<int64_t>((end - absl::ToUnixMicros(now)) / kParts, 1);
    const auto width = static_cast<int64_t>(absl::bit_floor(static_cast<uint64_t>(part)));
    return end + (width - end % width) % width;
  }

  std::vector<Class> by_end_;  // Ascending.
};

absl::StatusOr<Counts> CountsOf(std::string_view tenant, absl::Time now, const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<TokenCountRow>(txn, Table::kMeta, CountKey(tenant)));
  Counts counts = row.has_value() ? Counts(*row) : Counts();
  counts.Forget(now);
  return counts;
}

bool AreCounted(const TokenPolicy& policy) {
  return policy.max_tokens_per_tenant > 0 || policy.max_token_bytes_per_tenant > 0;
}

std::string RoomAt(absl::Time time) {
  if (time == absl::InfiniteFuture()) return "no room will come, as they are kept for good";
  return absl::StrCat("there is room from ", absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()), " on");
}

absl::Status RefuseMoreBytes(const TokenPolicy& policy, const Counts& counts, int64_t wanted) {
  const int64_t limit = policy.max_token_bytes_per_tenant;
  const std::string room =
      wanted > limit ? "this one alone takes more" : RoomAt(counts.FewerThan(limit - wanted + 1, &Class::bytes));
  return Refuse(Reason::kQuotaExceeded,
                absl::StrCat("the tenant's tokens and their replies take as many bytes as they may: "
                             "max_token_bytes_per_tenant is ",
                             limit, "; ", room));
}

// A tenant's tokens, as a recount finds them.
struct TenantCount {
  Counts counts;
  int64_t abandoned = 0;
  std::optional<std::string> abandoned_before;  // The row of their number, before the recount.
};
using TenantCounts = std::map<std::string, TenantCount, std::less<>>;

// Adds the tenants that have counts, also those that have no tokens any more.
absl::Status FindCountedTenants(Store& store, TenantCounts& by_tenant) {
  for (const std::string& prefix : {CountsPrefix(), AbandonedPrefix()}) {
    HAPAX_RETURN_IF_ERROR(
        PagedScan(store, Table::kMeta, KeyRange::Prefix(prefix), [&](std::string_view bytes, std::string_view value) {
          KeyParser parser(bytes);
          static_cast<void>(parser.String());
          const absl::StatusOr<std::string> name = parser.String();
          if (!name.ok()) return;
          TenantCount& tenant = by_tenant[*name];
          if (bytes == AbandonedKey(*name)) tenant.abandoned_before = value;
        }));
  }
  return absl::OkStatus();
}

// Counts one row of table tokens.
void CountStored(std::string_view bytes, std::string_view value, absl::Time now, TenantCounts& by_tenant) {
  const absl::StatusOr<TokenKey> key = DecodeTokenKey(bytes);
  if (!key.ok()) return;  // A damaged row is reported to whoever reads it.
  TenantCount& tenant = by_tenant[key->tenant];
  store::v1::TokenRecord record;
  const bool is_sound = DecodeRow(bytes, value, &record).ok();
  if (is_sound && record.has_abandoned_at()) {
    ++tenant.abandoned;
    return;
  }
  const absl::Time forget_at =
      is_sound && record.has_forget_at() ? FromTimestamp(record.forget_at()) : absl::InfiniteFuture();
  if (forget_at <= now) return;
  tenant.counts.Add(forget_at, /*tokens=*/1, /*bytes=*/0, now);
  tenant.counts.AddBytes({.bytes = static_cast<int64_t>(bytes.size() + value.size()),
                          .expires_at = record.has_expires_at() ? FromTimestamp(record.expires_at()) : forget_at,
                          .forget_at = forget_at},
                         now);
}

absl::Status PutCounts(const std::string& name, const TenantCount& tenant, Transaction& txn) {
  PutRow(txn, Table::kMeta, CountKey(name), tenant.counts.ToRow());
  HAPAX_ASSIGN_OR_RETURN(const auto abandoned, txn.Get(Table::kMeta, AbandonedKey(name)));
  if (abandoned != tenant.abandoned_before) return absl::OkStatus();
  store::v1::AbandonedTokenCountRow row;
  row.set_tokens(tenant.abandoned);
  PutRow(txn, Table::kMeta, AbandonedKey(name), row);
  return absl::OkStatus();
}

}  // namespace

absl::Status CountToken(const TokenPolicy& policy, std::string_view tenant, absl::Time forget_at, absl::Time now,
                        Transaction& txn) {
  if (!AreCounted(policy)) return absl::OkStatus();
  HAPAX_ASSIGN_OR_RETURN(Counts counts, CountsOf(tenant, now, txn));
  const int64_t limit = policy.max_tokens_per_tenant;
  if (limit > 0 && counts.Sum(&Class::tokens) >= limit) {
    return Refuse(Reason::kQuotaExceeded,
                  absl::StrCat("the tenant has as many tokens stored as it may: max_tokens_per_tenant is ", limit, "; ",
                               RoomAt(counts.FewerThan(limit, &Class::tokens))));
  }
  // The bytes are not known before the reply is made, but there is at least one.
  const int64_t max_bytes = policy.max_token_bytes_per_tenant;
  if (max_bytes > 0 && counts.Sum(&Class::bytes) >= max_bytes) return RefuseMoreBytes(policy, counts, /*wanted=*/1);
  counts.Add(forget_at, /*tokens=*/1, /*bytes=*/0, now);
  PutRow(txn, Table::kMeta, CountKey(tenant), counts.ToRow());
  return absl::OkStatus();
}

absl::Status CountTokenBytes(const TokenPolicy& policy, std::string_view tenant, const TokenBytes& token,
                             absl::Time now, Transaction& txn) {
  if (!AreCounted(policy)) return absl::OkStatus();
  HAPAX_ASSIGN_OR_RETURN(Counts counts, CountsOf(tenant, now, txn));
  const int64_t max_bytes = policy.max_token_bytes_per_tenant;
  if (max_bytes > 0 && counts.Sum(&Class::bytes) + token.bytes > max_bytes) {
    return RefuseMoreBytes(policy, counts, token.bytes);
  }
  counts.AddBytes(token, now);
  PutRow(txn, Table::kMeta, CountKey(tenant), counts.ToRow());
  return absl::OkStatus();
}

absl::Status CountAbandonedToken(const TokenPolicy& policy, std::string_view tenant, Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const int64_t tokens, AbandonedTokens(tenant, txn));
  const int64_t limit = policy.max_abandoned_tokens_per_tenant;
  if (limit > 0 && tokens >= limit) {
    return Refuse(Reason::kQuotaExceeded,
                  absl::StrCat("the tenant has abandoned as many tokens as it may: max_abandoned_tokens_per_tenant is ",
                               limit, "; they are kept for good"));
  }
  store::v1::AbandonedTokenCountRow row;
  row.set_tokens(tokens + 1);
  PutRow(txn, Table::kMeta, AbandonedKey(tenant), row);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> StoredTokens(std::string_view tenant, absl::Time now, const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const Counts counts, CountsOf(tenant, now, txn));
  return counts.Sum(&Class::tokens);
}

absl::StatusOr<int64_t> StoredTokenBytes(std::string_view tenant, absl::Time now, const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const Counts counts, CountsOf(tenant, now, txn));
  return counts.Sum(&Class::bytes);
}

absl::StatusOr<int64_t> AbandonedTokens(std::string_view tenant, const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const auto row,
                         GetRow<store::v1::AbandonedTokenCountRow>(txn, Table::kMeta, AbandonedKey(tenant)));
  return row.has_value() ? row->tokens() : 0;
}

absl::StatusOr<bool> CountAllTokens(absl::Time now, Store& store,
                                    absl::FunctionRef<absl::StatusOr<bool>(const ReadTransaction&)> is_counted) {
  TenantCounts by_tenant;
  HAPAX_RETURN_IF_ERROR(FindCountedTenants(store, by_tenant));
  HAPAX_RETURN_IF_ERROR(
      PagedScan(store, Table::kTokens, KeyRange::Prefix(""),
                [&](std::string_view key, std::string_view value) { CountStored(key, value, now, by_tenant); }));
  for (auto next = by_tenant.begin(); next != by_tenant.end();) {
    const auto first = next;
    bool is_ours = false;
    const absl::Status status = ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
      next = first;  // A body may run more than once.
      HAPAX_ASSIGN_OR_RETURN(const bool others_count, is_counted(txn));
      is_ours = !others_count;
      for (int64_t i = 0; is_ours && i < kPageRows && next != by_tenant.end(); ++i, ++next) {
        HAPAX_RETURN_IF_ERROR(PutCounts(next->first, next->second, txn));
      }
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    if (!is_ours) return false;
  }
  return true;
}

}  // namespace hapax
