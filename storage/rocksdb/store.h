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
  // The data directory; created when it does not exist. One process at a time may hold it.
  std::string path;
  // The full name of the service whose rows a directory of format 1 has (format.h). Unless it is given, a directory
  // that has such rows is FAILED_PRECONDITION.
  std::string format_1_service;
  // Memory for blocks, filters and indexes, whatever the tables hold. Bytes.
  size_t block_cache_bytes = size_t{256} << 20;
  // Transactions that may wait, half of them one party's; one more is refused with RESOURCE_EXHAUSTED.
  size_t max_waiting = 4096;
  // Gets a line about what goes wrong with the disk or the files: RocksDB's warnings and errors, and when
  // writes are suspended and resumed. Called on any thread; must not block. May be null.
  std::function<void(std::string_view line)> log;
  // Whose rows grow old, and when; null: none does. Outlives the store.
  const ExpiryRule* expiry = nullptr;
};

class RocksDbEngine;

// The embedded store: RocksDB, with bodies run one after another on one thread, and their writes
// committed in groups with one fsync each (group_commit.h). Query runs on the calling thread, on what
// is durable.
//
// When the disk fails, or is full: whatever writes gets UNAVAILABLE, at once, and leaves nothing; whatever only
// reads goes on. A write that failed may yet be in the log, so the database takes none after it. Once the disk
// can be written, with room for it, the directory is opened afresh in this process, without what failed, and
// writes are accepted again. Only while it is opened do reads get UNAVAILABLE, too. If the process
// dies before, what failed may turn out to be durable: all of a transaction, or nothing.
// What cannot be read is that read's error: UNAVAILABLE, or DATA_LOSS when a checksum says that it is damaged.
//
// Errors: FAILED_PRECONDITION, another process holds the directory, or its format is not ours;
// PERMISSION_DENIED, it cannot be created or written; DATA_LOSS, it is damaged, or part of it is missing;
// UNAVAILABLE, anything else.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Store>> OpenRocksDbStore(const RocksDbStoreOptions& options);

// The store on an engine that is open already: for the tests of this folder.
[[nodiscard]] std::unique_ptr<Store> MakeRocksDbStore(std::unique_ptr<RocksDbEngine> engine, size_t max_waiting);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_STORE_H_
