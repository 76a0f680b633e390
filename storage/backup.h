#ifndef HAPAX_STORAGE_BACKUP_H_
#define HAPAX_STORAGE_BACKUP_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace hapax {

// A backup of a store. Backups lie in a directory of their own, where each shares what did not change with those
// before.
struct Backup {
  uint32_t id = 0;  // From 1 on, ascending.
  absl::Time created;
  uint64_t size_bytes = 0;  // With the files that it shares.
};

struct BackupList {
  std::vector<Backup> backups;        // Oldest first.
  std::vector<uint32_t> damaged_ids;  // Of those with a file that is missing. Bytes are checked by a restore.
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_BACKUP_H_
