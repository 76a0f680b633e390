#ifndef HAPAX_STORAGE_ROCKSDB_SYNCED_NAMES_H_
#define HAPAX_STORAGE_ROCKSDB_SYNCED_NAMES_H_

#include <memory>

#include "rocksdb/env.h"

// Syncs names whose order on disk RocksDB leaves to the file system. Internal to storage.
namespace hapax {

// Wraps `env` so that the directory is synced before a file is renamed to CURRENT. The clock is that of `env`.
//
// CURRENT names the manifest, which names the tables. When RocksDB recovers from its log, it creates tables and
// manifest, renames CURRENT, and only then syncs the directory. POSIX allows a power cut in between to keep the rename
// and lose the other names; then the database cannot be opened any more. (CrashSweepTest shows it.)
//
// Lifetime: `env` outlives it.
[[nodiscard]] std::unique_ptr<rocksdb::Env> WithSyncedNames(const rocksdb::Env& env);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_SYNCED_NAMES_H_
