#ifndef HAPAX_STORAGE_ROCKSDB_DATA_DIRECTORY_H_
#define HAPAX_STORAGE_ROCKSDB_DATA_DIRECTORY_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/options.h"
#include "rocksdb/status.h"

// What can be found out about a data directory without opening its database. Internal to storage.
namespace hapax {

// Creates the directory and those above it, unless it is there; durably. Errors: PERMISSION_DENIED; UNAVAILABLE.
[[nodiscard]] absl::Status MakeDirectory(const std::string& path);

// Syncs a file or a directory to the disk. Errors: UNAVAILABLE.
[[nodiscard]] absl::Status Sync(const std::filesystem::path& path);

// Whether what is in the directory may be opened, or made anew: it changes nothing in it. Returns whether its rows must
// be brought to today's format first (format_upgrade.h).
// Errors: DATA_LOSS, part of a database is missing, or a log is damaged; FAILED_PRECONDITION, its format
// is not ours.
[[nodiscard]] absl::StatusOr<bool> CheckDirectory(const std::string& path, const rocksdb::Options& options);

// Whether the directory can be written, with room for opening its database afresh: files are made in it,
// written, synced and removed again. Errors: UNAVAILABLE.
[[nodiscard]] absl::Status ProbeDirectory(const std::string& path, const rocksdb::Options& options);

// Removes what a probe has left that was cut short: it may have taken all the space there was.
void RemoveProbe(const std::string& path, const rocksdb::Options& options);

// The error of a database that could not be opened, in words for whoever runs the server.
// FAILED_PRECONDITION, another process holds it; PERMISSION_DENIED, it cannot be written; DATA_LOSS;
// UNAVAILABLE, anything else.
[[nodiscard]] absl::Status OpeningError(const std::string& path, const rocksdb::Status& status);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_DATA_DIRECTORY_H_
