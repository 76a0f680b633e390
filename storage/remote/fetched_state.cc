#include "hapax/storage/remote/fetched_state.h"

#include <cstddef>
#include <utility>

#include "hapax/base/check.h"

namespace hapax {

FetchedState::FetchedState(RemoteFetch fetch, RemoteFetched fetched)
    : scans_(std::move(fetch.scans)), rows_(std::move(fetched.scans)) {
  HAPAX_CHECK(fetch.keys.size() == fetched.values.size() && scans_.size() == rows_.size(), "a fetch answers in part");
  for (size_t i = 0; i < fetch.keys.size(); ++i) {
    values_.insert_or_assign(std::move(fetch.keys[i]), std::move(fetched.values[i]));
  }
}

const RemoteValue* FetchedState::Find(const RemoteKey& key) const {
  const auto value = values_.find(key);
  return value == values_.end() ? nullptr : &value->second;
}

const RemoteFetched::Rows* FetchedState::FindScan(Table table, const KeyRange& range) const {
  for (size_t i = 0; i < scans_.size(); ++i) {
    const RemoteFetch::Scan& scan = scans_[i];
    if (scan.table == table && scan.range.begin == range.begin && scan.range.end == range.end) return &rows_[i];
  }
  return nullptr;
}

}  // namespace hapax
