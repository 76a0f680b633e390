#include "hapax/storage/remote/speculation.h"

#include <algorithm>
#include <utility>

#include "hapax/storage/remote/granule.h"

namespace hapax {

absl::StatusOr<std::optional<std::string>> Speculation::Get(Table table, std::string_view key) const {
  const RemoteValue& value = Answer({.table = table, .key = std::string(key)});
  bytes_ += static_cast<int64_t>(key.size() + (value.value.has_value() ? value.value->size() : 0));
  return value.value;
}

absl::Status Speculation::Scan(Table table, const KeyRange& range, Visitor visit) const {
  if (range.empty()) return absl::OkStatus();
  Answer({.kind = RemoteKey::Kind::kGranule, .table = table, .key = GranuleOfRange(table, range)});
  RemoteFetch::Scan scan{.table = table, .range = range, .max_rows = kFirstRows, .max_bytes = kFirstBytes};
  const RemoteFetched::Rows* const fetched = state_.FindScan(table, range);
  if (fetched == nullptr) {
    must_fetch_ = guessed_ = true;
    Want(std::move(scan));
    return absl::OkStatus();
  }
  int64_t fetched_bytes = 0;
  for (const RemoteFetched::Row& row : fetched->rows) fetched_bytes += static_cast<int64_t>(row.value.value->size());
  // So that another fetch has the same rows at least.
  scan.max_rows = std::max(scan.max_rows, static_cast<int64_t>(fetched->rows.size()));
  scan.max_bytes = std::max(scan.max_bytes, fetched_bytes);
  bool wants_more = true;
  for (const RemoteFetched::Row& row : fetched->rows) {
    bytes_ += static_cast<int64_t>(row.key.size() + row.value.value->size());
    if (Pin({.table = table, .key = row.key}, row.value).revision != row.value.revision) must_fetch_ = true;
    wants_more = visit(row.key, *row.value.value);
    if (!wants_more) break;
  }
  if (wants_more && fetched->has_more) {
    must_fetch_ = true;
    scan.max_rows *= kMore;
    scan.max_bytes *= kMore;
  }
  Want(std::move(scan));
  return absl::OkStatus();
}

void Speculation::Want(RemoteFetch::Scan scan) const {
  for (RemoteFetch::Scan& known : scans_) {
    if (known.table == scan.table && known.range.begin == scan.range.begin && known.range.end == scan.range.end) {
      known.max_rows = std::max(known.max_rows, scan.max_rows);
      known.max_bytes = std::max(known.max_bytes, scan.max_bytes);
      return;
    }
  }
  scans_.push_back(std::move(scan));
}

std::vector<RemoteRead> Speculation::reads() const {
  std::vector<RemoteRead> reads;
  reads.reserve(pinned_.size());
  for (const auto& [key, value] : pinned_) reads.push_back({.key = key, .revision = value.revision});
  return reads;
}

const RemoteValue* Speculation::Find(const RemoteKey& key) const {
  const auto pinned = pinned_.find(key);
  return pinned == pinned_.end() ? nullptr : &pinned->second;
}

RemoteFetch Speculation::Wanted() const {
  RemoteFetch fetch;
  fetch.scans = scans_;
  fetch.keys = asked_;
  return fetch;
}

int64_t Speculation::wanted_rows() const {
  auto rows = static_cast<int64_t>(asked_.size());
  for (const RemoteFetch::Scan& scan : scans_) rows += scan.max_rows;
  return rows;
}

int64_t Speculation::wanted_scan_bytes() const {
  int64_t bytes = 0;
  for (const RemoteFetch::Scan& scan : scans_) bytes += scan.max_bytes;
  return bytes;
}

const RemoteValue& Speculation::Answer(RemoteKey key) const {
  if (const RemoteValue* const pinned = Find(key); pinned != nullptr) return *pinned;
  asked_.push_back(key);
  if (const RemoteValue* const fetched = state_.Find(key); fetched != nullptr) return Pin(std::move(key), *fetched);
  guessed_ = true;
  const std::optional<RemoteValue> guess = cache_.Find(key);
  return Pin(std::move(key), guess.value_or(RemoteValue()));
}

const RemoteValue& Speculation::Pin(RemoteKey key, const RemoteValue& value) const {
  const auto [pinned, is_new] = pinned_.emplace(std::move(key), value);
  if (is_new) key_bytes_ += static_cast<int64_t>(pinned->first.key.size());
  return pinned->second;
}

}  // namespace hapax
