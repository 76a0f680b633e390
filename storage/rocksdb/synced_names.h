#ifndef HAPAX_STORAGE_ROCKSDB_SYNCED_NAMES_H_
#define HAPAX_STORAGE_ROCKSDB_SYNCED_NAMES_H_

#include <memory>

#include "rocksdb/env.h"

// What RocksDB leaves to the order in which a file system writes names down. Internal to storage.
namespace hapax {

// `env`, with files that CURRENT may refer to: before a file gets that name, the directory is synced.
//
// CURRENT names the manifest, and that names the tables. When RocksDB recovers from its log it creates tables and
// manifest, renames CURRENT, and only then syncs the directory. POSIX lets a power cut in between keep the last of
// these and lose the others, and then the database cannot be opened any more. (CrashSweepTest shows it.)
//
// Lifetime: `env` outlives it.
[[nodiscard]] std::unique_ptr<rocksdb::Env> WithSyncedNames(const rocksdb::Env& env);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_SYNCED_NAMES_H_
