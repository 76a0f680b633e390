#ifndef HAPAX_STORAGE_ROCKSDB_STORE_H_
#define HAPAX_STORAGE_ROCKSDB_STORE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/store.h"

namespace hapax {

struct RocksDbStoreOptions {
  // The data directory; created if it does not exist. Only one process at a time can hold it.
  std::string path;
  // The full name of the service whose rows a directory of format 1 has (format.h). Without it, a directory with such
  // rows is FAILED_PRECONDITION.
  std::string format_1_service;
  // Memory for blocks, filters and indexes, whatever the tables hold. Bytes.
  size_t block_cache_bytes = size_t{256} << 20;
  // How many transactions may wait; one party may have half of them. One more is refused with RESOURCE_EXHAUSTED.
  size_t max_waiting = 4096;
  // Gets a line about each problem with the disk or the files: RocksDB's warnings and errors, and when writes are
  // suspended and resumed. Called on any thread; must not block. May be null.
  std::function<void(std::string_view line)> log;
  // Which rows expire, and when; null: none. Outlives the store.
  const ExpiryRule* expiry = nullptr;
};

class RocksDbEngine;

// The embedded store: RocksDB, with bodies run one after another, and their writes committed in groups with one fsync
// each (group_commit.h). Query runs on the calling thread, on durable data.
//
// When the disk fails or is full, transactions that write get UNAVAILABLE at once and leave nothing; reads go on. A
// failed write may still be in the log, so the database takes no write after it. Once the disk can be written and has
// room, the directory is reopened in this process without the failed write, and writes are accepted again. Only during
// the reopening do reads get UNAVAILABLE, too. If the process dies before, a failed transaction may turn out to be
// durable, as a whole. A read of damaged or unreadable data gets its error: DATA_LOSS for a wrong checksum, else
// UNAVAILABLE.
//
// Errors: FAILED_PRECONDITION, another process holds the directory, or its format is not ours; PERMISSION_DENIED, it
// cannot be created or written; DATA_LOSS, it is damaged, or part of it is missing; UNAVAILABLE, anything else.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Store>> OpenRocksDbStore(const RocksDbStoreOptions& options);

// A store on an engine that is already open; for the tests of this folder.
[[nodiscard]] std::unique_ptr<Store> MakeRocksDbStore(std::unique_ptr<RocksDbEngine> engine, size_t max_waiting);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_STORE_H_
