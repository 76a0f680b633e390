#include "hapax/tests/storage/remote/sim_cluster.h"

#include <utility>

namespace hapax {

RemoteFetched SimCluster::Fetch(const RemoteFetch& fetch) const {
  RemoteFetched fetched;
  for (const RemoteKey& key : fetch.keys) fetched.values.push_back(ValueOf(key));
  for (const RemoteFetch::Scan& scan : fetch.scans) {
    RemoteFetched::Rows rows;
    auto row = rows_.lower_bound({.table = scan.table, .key = scan.range.begin});
    for (; row != rows_.end(); ++row) {
      const RemoteKey& key = row->first;
      if (key.kind != RemoteKey::Kind::kRow || key.table != scan.table) break;
      if (!scan.range.end.empty() && key.key >= scan.range.end) break;
      rows.has_more = scan.max_rows > 0 && rows.rows.size() >= static_cast<size_t>(scan.max_rows);
      if (rows.has_more) break;
      rows.rows.push_back({.key = key.key, .value = row->second});
    }
    fetched.scans.push_back(std::move(rows));
  }
  return fetched;
}

bool SimCluster::AreUnchanged(const std::vector<RemoteRead>& reads) const {
  for (const RemoteRead& read : reads) {
    const bool is_granule = read.key.kind == RemoteKey::Kind::kGranule;
    if (is_granule ? weakness_.granules_not_compared : weakness_.reads_not_compared) continue;
    if (ValueOf(read.key).revision != read.revision) return false;
  }
  return true;
}

RemoteCommitted SimCluster::Commit(const RemoteGroup& group) {
  if (full_) return {.outcome = RemoteCommitted::Outcome::kUnknown, .status = absl::UnavailableError("no room")};
  if (!refusal_.ok()) {
    return {.outcome = RemoteCommitted::Outcome::kRefused, .status = std::exchange(refusal_, absl::OkStatus())};
  }
  const RemoteSlot slot = ReadSlot(group.slot).value;
  if (!IsSlotAs(slot, group.before) || !AreUnchanged(group.reads)) {
    return {.outcome = RemoteCommitted::Outcome::kNotApplied,
            .slot = weakness_.slot_not_read_on_refusal ? group.before : slot};
  }
  if (group.before.epoch < slot.epoch && violation_.empty()) violation_ = "a group with a lower epoch was applied";
  ++revision_;
  for (const RemoteGroup::Write& write : group.writes) {
    if (write.value.has_value()) {
      rows_[write.key] = {.revision = revision_, .value = write.value};
    } else {
      rows_.erase(write.key);
    }
  }
  RemoteSlot next = group.before;
  ++next.seq;
  slots_[group.slot] = {.value = next, .revision = revision_};
  return {.outcome = RemoteCommitted::Outcome::kApplied, .revision = revision_};
}

RemoteSlotState SimCluster::ReadSlot(const std::string& slot) const {
  const auto found = slots_.find(slot);
  return found == slots_.end() ? RemoteSlotState() : found->second;
}

absl::StatusOr<bool> SimCluster::RaiseSlot(const std::string& slot, const RemoteSlotState& seen,
                                           const RemoteSlot& next) {
  if (full_) return absl::UnavailableError("no room");
  const RemoteSlotState now = ReadSlot(slot);
  if (now.revision != seen.revision) return false;
  const bool is_first = now.revision == 0 || now.value.owner != next.owner;
  if (weakness_.epoch_not_raised && !is_first) return true;
  if (next.epoch <= now.value.epoch && violation_.empty()) violation_ = "a slot's epoch did not grow";
  slots_[slot] = {.value = next, .revision = ++revision_};
  ++raises_;
  return true;
}

RemoteValue SimCluster::ValueOf(const RemoteKey& key) const {
  const auto row = rows_.find(key);
  return row == rows_.end() ? RemoteValue() : row->second;
}

bool SimCluster::IsSlotAs(const RemoteSlot& slot, const RemoteSlot& expected) const {
  return slot.owner == expected.owner && (slot.epoch == expected.epoch || weakness_.epoch_not_compared) &&
         (slot.seq == expected.seq || weakness_.seq_not_compared);
}

}  // namespace hapax
