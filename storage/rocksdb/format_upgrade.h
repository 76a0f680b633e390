#ifndef HAPAX_STORAGE_ROCKSDB_FORMAT_UPGRADE_H_
#define HAPAX_STORAGE_ROCKSDB_FORMAT_UPGRADE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/options.h"

namespace hapax {

// Brings a data directory of format version 1 to version 2, in place: the rows of table resources move to tables
// services and operations (format.h). Internal to storage.
//
//   1  the version and a log id are written and synced: from now on earlier servers refuse the directory
//   2  rows move from the old table to the new ones, many in one batch
//   3  the empty old table is dropped
//
// It may be interrupted anywhere: while the old table exists, the next start moves the remaining rows.
//
// `service` is the full name of the service that owns the rows; version 1 does not record it.
// Errors: FAILED_PRECONDITION, there are such rows and `service` is empty; else the errors of opening.
[[nodiscard]] absl::Status UpgradeFormat(const std::string& path, rocksdb::Options options, std::string_view service);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_FORMAT_UPGRADE_H_
