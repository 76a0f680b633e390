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
//   1  the version and a log id are written, synced: from here on earlier servers refuse the directory
//   2  rows move, many in one batch, each from the old table to the new one
//   3  the old table, empty by now, is dropped
//
// It may be cut short anywhere: as long as there is an old table, the next start goes on with what is left in it.
//
// `service` is the full name of the service whose rows they are; version 1 does not say.
// Errors: FAILED_PRECONDITION, there are such rows and `service` is empty; else those of opening.
[[nodiscard]] absl::Status UpgradeFormat(const std::string& path, rocksdb::Options options, std::string_view service);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_FORMAT_UPGRADE_H_
