#ifndef HAPAX_STORAGE_ROCKSDB_BACKUP_H_
#define HAPAX_STORAGE_ROCKSDB_BACKUP_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/store.h"

namespace hapax {

class Database;

// Makes a backup of everything acknowledged before the call, in the format of RocksDB's BackupEngine; creates the
// directory. Reads and writes go on meanwhile. Blocks until the backup is durable; one at a time in a directory.
// Internal to storage: callers use Store::CreateBackup.
// Errors, all of which leave no such backup: PERMISSION_DENIED, the directory cannot be created; CANCELLED, `cancelled`
// became true; DATA_LOSS, a file of the database is damaged; UNAVAILABLE, a disk cannot be read or written.
[[nodiscard]] absl::StatusOr<Backup> CreateBackup(Database& database, const std::string& backup_dir,
                                                  const std::atomic<bool>& cancelled);

// Errors: UNAVAILABLE, the directory cannot be read. A missing directory has no backups.
[[nodiscard]] absl::StatusOr<BackupList> ListBackups(const std::string& backup_dir);

// What to do with an existing directory `<data_dir>.restoring`, left by an earlier restore or made by somebody else.
enum class Unfinished {
  kRefuse,
  kRemove,  // With all its content.
};

// Makes a data directory from backup `id`, or from the latest, after checking all its bytes. Returns the backup that it
// used. The change is durable, and complete or nothing; until then the files are in `<data_dir>.restoring`.
// Errors: FAILED_PRECONDITION, `data_dir` is not empty, or `<data_dir>.restoring` exists; NOT_FOUND, there is no such
// backup; DATA_LOSS, it is damaged; PERMISSION_DENIED and UNAVAILABLE, files cannot be read or written.
[[nodiscard]] absl::StatusOr<Backup> RestoreBackup(const std::string& backup_dir, const std::string& data_dir,
                                                   std::optional<uint32_t> id,
                                                   Unfinished unfinished = Unfinished::kRefuse);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_BACKUP_H_
