#ifndef HAPAX_STORAGE_ROCKSDB_DATA_DIRECTORY_H_
#define HAPAX_STORAGE_ROCKSDB_DATA_DIRECTORY_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/options.h"
#include "rocksdb/status.h"

// Inspects a data directory without opening its database. Internal to storage.
namespace hapax {

// Creates the directory and its missing parents, durably. Errors: PERMISSION_DENIED; UNAVAILABLE.
[[nodiscard]] absl::Status MakeDirectory(const std::string& path);

// Syncs a file or a directory to the disk. Errors: UNAVAILABLE.
[[nodiscard]] absl::Status Sync(const std::filesystem::path& path);

// Checks whether the directory may be opened or created, without changing it. Returns whether its rows must be upgraded
// to the current format first (format_upgrade.h).
// Errors: DATA_LOSS, part of a database is missing, or a log is damaged; FAILED_PRECONDITION, its format is not ours.
[[nodiscard]] absl::StatusOr<bool> CheckDirectory(const std::string& path, const rocksdb::Options& options);

// Checks that the directory can be written and has room for reopening its database, by creating, writing, syncing and
// removing files. Errors: UNAVAILABLE.
[[nodiscard]] absl::Status ProbeDirectory(const std::string& path, const rocksdb::Options& options);

// Removes the files of an interrupted probe, which may have taken all the free space.
void RemoveProbe(const std::string& path, const rocksdb::Options& options);

// The error of a database that could not be opened, in words for the operator: FAILED_PRECONDITION, another process
// holds it; PERMISSION_DENIED, it cannot be written; DATA_LOSS; UNAVAILABLE, anything else.
[[nodiscard]] absl::Status OpeningError(const std::string& path, const rocksdb::Status& status);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_DATA_DIRECTORY_H_
