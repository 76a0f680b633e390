#ifndef HAPAX_STORAGE_FORMAT_VERSION_H_
#define HAPAX_STORAGE_FORMAT_VERSION_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/options.h"

// Whether a data directory has our format (format.h). Internal to storage.
namespace hapax {

// Of the value of the row that says it. Errors: FAILED_PRECONDITION, another format, and which; DATA_LOSS, none.
[[nodiscard]] absl::Status CheckFormatVersion(std::string_view value);

// Of the directory as it lies on the disk. Changes nothing in it: whoever wrote a newer format may go on with it.
// OK, too, when there is no database, or this cannot be found out: opening it tells more.
// Errors: as above.
[[nodiscard]] absl::Status CheckFormatVersionIn(const std::string& path, const rocksdb::Options& options);

}  // namespace hapax

#endif  // HAPAX_STORAGE_FORMAT_VERSION_H_
