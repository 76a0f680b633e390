#include "hapax/server/operations/work_leases.h"

#include <optional>
#include <utility>

#include "hapax/base/random_name.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/format.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/work.pb.h"

namespace hapax {
namespace {

constexpr Table kTable = Table::kMeta;

std::string KeyPrefix() { return KeyBuilder().String(kWorkLeaseKind).Build(); }
std::string KeyOf(std::string_view holder) { return KeyBuilder().String(kWorkLeaseKind).String(holder).Build(); }

}  // namespace

WorkLeases::WorkLeases(Store& store, const Clock& clock, absl::Duration length, std::string server_id)
    : store_(store), clock_(clock), length_(length), server_id_(std::move(server_id)), holder_(RandomName()) {}

absl::Status WorkLeases::Renew() {
  store::v1::WorkLeaseRow row;
  row.set_renewals(++renewals_);
  *row.mutable_length() = ToProtoDuration(length_);
  row.set_server_id(server_id_);
  for (const auto& [holder, lease] : leases_) {
    if (!lease.ahead.has_value()) continue;
    store::v1::SeenClock& seen = *row.add_seen_clocks();
    seen.set_holder(holder);
    *seen.mutable_ahead() = ToProtoDuration(*lease.ahead);
  }
  return ExecuteAndWait(store_, [&](Transaction& txn) {
    *row.mutable_wall_time() = ToTimestamp(clock_.Now());
    PutRow(txn, kTable, KeyOf(holder_), row);
    return absl::OkStatus();
  });
}

absl::Status WorkLeases::End() {
  return ExecuteAndWait(store_, [&](Transaction& txn) {
    txn.Delete(kTable, KeyOf(holder_));
    return absl::OkStatus();
  });
}

// Without the members that depend on earlier looks.
WorkLeases::Lease WorkLeases::LeaseOf(std::string_view key, std::string_view value) const {
  Lease lease{.row = std::string(value), .length = length_};
  store::v1::WorkLeaseRow row;
  if (!DecodeRow(key, value, &row).ok()) return lease;
  lease.length = FromProtoDuration(row.length());
  lease.server_id = row.server_id();
  if (row.has_wall_time()) lease.wall_time = FromTimestamp(row.wall_time());
  for (const store::v1::SeenClock& seen : row.seen_clocks()) {
    if (seen.holder() == holder_) lease.behind = FromProtoDuration(seen.ahead());
  }
  return lease;
}

absl::Status WorkLeases::Look() {
  std::map<std::string, Lease, std::less<>> found;
  // A lease counts as unchanged from the end of the look that saw it change to the start of the next look.
  const absl::Duration before = clock_.Monotonic();
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store_, [&](const ReadTransaction& txn) {
    found.clear();
    return txn.Scan(kTable, KeyRange::Prefix(KeyPrefix()), [&](std::string_view key, std::string_view value) {
      const absl::StatusOr<std::string> holder = KeyParser(key.substr(KeyPrefix().size())).String();
      if (!holder.ok() || *holder == holder_) return true;
      found[*holder] = LeaseOf(key, value);
      return true;
    });
  }));
  const absl::Duration after = clock_.Monotonic();
  const absl::Time wall = clock_.Now();
  for (auto& [holder, lease] : found) {
    const auto known = leases_.find(holder);
    const bool unchanged = known != leases_.end() && known->second.row == lease.row;
    lease.first_seen = known != leases_.end() ? known->second.first_seen : after;
    lease.unchanged_since = unchanged ? known->second.unchanged_since : after;
    if (lease.wall_time.has_value()) lease.ahead = unchanged ? known->second.ahead : *lease.wall_time - wall;
    lease.renewed = known != leases_.end() && (known->second.renewed || !unchanged);
  }
  leases_ = std::move(found);
  looked_at_ = before;
  return absl::OkStatus();
}

bool WorkLeases::IsFree(std::string_view holder) const {
  if (holder == holder_) return false;
  const auto lease = leases_.find(holder);
  return lease == leases_.end() || HasRunOut(lease->second);
}

absl::StatusOr<bool> WorkLeases::IsStillFree(const ReadTransaction& txn, std::string_view holder) const {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> row, txn.Get(kTable, KeyOf(holder)));
  if (!row.has_value()) return true;
  const auto lease = leases_.find(holder);
  return lease != leases_.end() && lease->second.row == *row;
}

absl::Status WorkLeases::DeleteRunOut() {
  for (const auto& [name, seen] : leases_) {
    if (!HasRunOut(seen)) continue;
    const std::string& holder = name;
    HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store_, [&](Transaction& txn) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(const bool unchanged, IsStillFree(txn, holder));
      if (unchanged) txn.Delete(kTable, KeyOf(holder));
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

std::vector<OtherClock> WorkLeases::Clocks() const {
  std::vector<OtherClock> clocks;
  for (const auto& [holder, lease] : leases_) {
    if (!lease.ahead.has_value() || lease.server_id == server_id_) continue;
    clocks.push_back({.server_id = lease.server_id,
                      .ahead = *lease.ahead,
                      .behind = lease.behind,
                      .renewed = lease.renewed,
                      .watched_for = looked_at_ - lease.first_seen,
                      .silent_for = looked_at_ - lease.unchanged_since,
                      .lease = lease.length});
  }
  return clocks;
}

absl::StatusOr<WorkLeases::Others> WorkLeases::LookForOthers() {
  HAPAX_RETURN_IF_ERROR(Look());
  HAPAX_RETURN_IF_ERROR(DeleteRunOut());
  Others others = Others::kNone;
  for (const auto& [holder, lease] : leases_) {
    if (lease.renewed) return Others::kRun;
    if (!HasRunOut(lease)) others = Others::kUnknown;
  }
  return others;
}

absl::StatusOr<bool> WorkLeases::IsAlone(const ReadTransaction& txn) const {
  bool is_alone = true;
  HAPAX_RETURN_IF_ERROR(txn.Scan(kTable, KeyRange::Prefix(KeyPrefix()), [&](std::string_view key, std::string_view) {
    const absl::StatusOr<std::string> holder = KeyParser(key.substr(KeyPrefix().size())).String();
    is_alone = !holder.ok() || *holder == holder_;
    return is_alone;
  }));
  return is_alone;
}

}  // namespace hapax
