#ifndef HAPAX_STORAGE_REMOTE_GUESS_CACHE_H_
#define HAPAX_STORAGE_REMOTE_GUESS_CACHE_H_

#include <cstdint>
#include <list>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// The last known values of rows, as guesses. A guess may be out of date: whoever used one compares its revision before
// anything is told.
//
// Only committed values may be put: those of a fetch, or of a group that was applied. The rows that were not used for
// the longest time are dropped to keep within the bound.
//
// Thread-safety: safe.
class GuessCache {
 public:
  explicit GuessCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Nullopt: nothing is known of the row.
  [[nodiscard]] std::optional<RemoteValue> Find(const RemoteKey& key);
  // Keeps the newer of two values. An absent row is forgotten.
  void Put(const RemoteKey& key, const RemoteValue& value);
  void Erase(const RemoteKey& key);

 private:
  using Entries = std::list<std::pair<RemoteKey, RemoteValue>>;

  static int64_t SizeOf(const Entries::value_type& entry);
  void Remove(Entries::iterator entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int64_t max_bytes_;
  absl::Mutex mu_;
  Entries entries_ ABSL_GUARDED_BY(mu_);  // The last used one first.
  absl::btree_map<RemoteKey, Entries::iterator> by_key_ ABSL_GUARDED_BY(mu_);
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_GUESS_CACHE_H_
