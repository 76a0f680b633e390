#ifndef HAPAX_STORAGE_ROCKSDB_STORE_H_
#define HAPAX_STORAGE_ROCKSDB_STORE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/clock.h"
#include "hapax/storage/store.h"

namespace hapax {

struct RocksDbStoreOptions {
  // The data directory; created when it does not exist. One process at a time may hold it.
  std::string path;
  // Memory for blocks, filters and indexes, whatever the tables hold. Bytes.
  size_t block_cache_bytes = size_t{256} << 20;
  // Transactions that may wait; one more is refused with RESOURCE_EXHAUSTED.
  size_t max_waiting = 4096;
  // Judges which tokens' records have expired; null means the machine's. Outlives the store.
  const Clock* clock = nullptr;
};

// The embedded store: RocksDB, with bodies run one after another on one thread, and their writes
// committed in groups with one fsync each (group_commit.h). Query runs on the calling thread, on what
// is durable.
class RocksDbStore : public Store {
 public:
  // Rewrites everything, so that the space of what was deleted, overwritten or has expired is given back at once;
  // otherwise that happens by and by. Blocks until it is done. Errors: the store's.
  [[nodiscard]] virtual absl::Status Compact() = 0;
};

// Errors: FAILED_PRECONDITION, another process holds the directory, or its format is not ours;
// PERMISSION_DENIED, it cannot be created or written; DATA_LOSS, it is damaged; UNAVAILABLE, anything else.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RocksDbStore>> OpenRocksDbStore(const RocksDbStoreOptions& options);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_STORE_H_
