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

// Makes one of all that was acknowledged when it is called, and creates the directory for it. Reads and writes go on.
// Blocks until it is durable. One at a time in a directory, in the format of RocksDB's BackupEngine. Internal to
// storage: Store::CreateBackup. Errors: PERMISSION_DENIED, the directory cannot be created; CANCELLED, `cancelled`
// became true; DATA_LOSS, a file of the database is damaged; UNAVAILABLE, a disk cannot be read or written. Then there
// is no such backup.
[[nodiscard]] absl::StatusOr<Backup> CreateBackup(Database& database, const std::string& backup_dir,
                                                  const std::atomic<bool>& cancelled);

// Errors: UNAVAILABLE, the directory cannot be read. One that does not exist has none.
[[nodiscard]] absl::StatusOr<BackupList> ListBackups(const std::string& backup_dir);

// What becomes of a directory `<data_dir>.restoring`, which an earlier restore may have left, or somebody else made.
enum class Unfinished {
  kRefuse,
  kRemove,  // With all that is in it.
};

// Makes a data directory of the backup of that id, or of the latest, once all its bytes are checked; durably, and as a
// whole or not at all. Returns which it was. Until it is whole it is `<data_dir>.restoring`.
// Errors: FAILED_PRECONDITION, `data_dir` has something in it, or there is a `<data_dir>.restoring`; NOT_FOUND, there
// is no such backup; DATA_LOSS, it is damaged; PERMISSION_DENIED and UNAVAILABLE, files cannot be read or written.
[[nodiscard]] absl::StatusOr<Backup> RestoreBackup(const std::string& backup_dir, const std::string& data_dir,
                                                   std::optional<uint32_t> id,
                                                   Unfinished unfinished = Unfinished::kRefuse);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_BACKUP_H_
