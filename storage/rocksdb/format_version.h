#ifndef HAPAX_STORAGE_ROCKSDB_FORMAT_VERSION_H_
#define HAPAX_STORAGE_ROCKSDB_FORMAT_VERSION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/options.h"

// Whether a data directory has our format (format.h). Internal to storage.
namespace hapax {

// The version that the value of its row says. Errors: FAILED_PRECONDITION, one that this server does not know, and
// which; DATA_LOSS, none.
[[nodiscard]] absl::StatusOr<uint64_t> ParseFormatVersion(std::string_view value);

// What a directory says of itself.
struct DirectoryFormat {
  uint64_t version = 0;  // 0 when there is no database, or this cannot be found out: opening it tells more.
  std::string log_id;    // Empty when it has none.
};

// Of the directory as it lies on the disk. Changes nothing in it: whoever wrote a newer format may go on with it.
// Errors: as above.
[[nodiscard]] absl::StatusOr<DirectoryFormat> ReadFormat(const std::string& path, const rocksdb::Options& options);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_FORMAT_VERSION_H_
