#ifndef HAPAX_STORAGE_ROCKSDB_FORMAT_VERSION_H_
#define HAPAX_STORAGE_ROCKSDB_FORMAT_VERSION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/options.h"

// Reads the format version of a data directory (format.h). Internal to storage.
namespace hapax {

// Parses the format version from its row. Errors: FAILED_PRECONDITION, this server does not know the version, which the
// message names; DATA_LOSS, the value is not a version.
[[nodiscard]] absl::StatusOr<uint64_t> ParseFormatVersion(std::string_view value);

// The format that a directory records.
struct DirectoryFormat {
  uint64_t version = 0;  // 0 when there is no database, or this cannot be determined: opening reports why.
  std::string log_id;    // Empty if it has none.
};

// Reads the format without changing the directory: the server of a newer format may go on with it.
// Errors: those of ParseFormatVersion.
[[nodiscard]] absl::StatusOr<DirectoryFormat> ReadFormat(const std::string& path, const rocksdb::Options& options);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_FORMAT_VERSION_H_
