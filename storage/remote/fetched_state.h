#ifndef HAPAX_STORAGE_REMOTE_FETCHED_STATE_H_
#define HAPAX_STORAGE_REMOTE_FETCHED_STATE_H_

#include <vector>

#include "absl/container/btree_map.h"
#include "hapax/storage/key.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/store.h"

namespace hapax {

// What one fetch returned, to be looked up: a part of the state of one moment.
//
// Thread-safety: like a standard container. Lifetime: what it returns lives as long as it does.
class FetchedState {
 public:
  FetchedState() = default;
  // Requires: `fetched` has as many values and scans as `fetch`.
  FetchedState(RemoteFetch fetch, RemoteFetched fetched);

  // Null: it was not fetched.
  [[nodiscard]] const RemoteValue* Find(const RemoteKey& key) const;
  // Null: this range was not fetched.
  [[nodiscard]] const RemoteFetched::Rows* FindScan(Table table, const KeyRange& range) const;

  [[nodiscard]] const absl::btree_map<RemoteKey, RemoteValue>& values() const { return values_; }

 private:
  absl::btree_map<RemoteKey, RemoteValue> values_;
  std::vector<RemoteFetch::Scan> scans_;
  std::vector<RemoteFetched::Rows> rows_;  // As scans_.
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_FETCHED_STATE_H_
