#ifndef HAPAX_STORAGE_BACKUP_H_
#define HAPAX_STORAGE_BACKUP_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace hapax {

// A backup of a store. A backup directory holds several backups, which share the files that did not change between
// them.
struct Backup {
  uint32_t id = 0;  // Ascending from 1.
  absl::Time created;
  uint64_t size_bytes = 0;  // Including shared files.
};

struct BackupList {
  std::vector<Backup> backups;        // Oldest first.
  std::vector<uint32_t> damaged_ids;  // Backups that lack a file. Only a restore checks the bytes.
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_BACKUP_H_
