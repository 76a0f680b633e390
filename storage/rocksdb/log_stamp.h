#ifndef HAPAX_STORAGE_ROCKSDB_LOG_STAMP_H_
#define HAPAX_STORAGE_ROCKSDB_LOG_STAMP_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/write_batch.h"

// Tells a write of ours from bytes in the log that only look like one. Internal to storage.
//
// The checksums of RocksDB's log are not secret: anyone who stores values can store a whole log record with a correct
// checksum. So each data directory has a log id, 16 random bytes made once. It is kept in table meta and never shown,
// and each write begins with it. A batch in the log:
//
//   | number of its first row, 8 bytes LE | count of rows, 4 bytes LE | 0x03 | 0x10 | the log id, 16 bytes | rows |
namespace hapax {

inline constexpr size_t kLogIdBytes = 16;
// How many bytes of a batch IsStamped needs.
inline constexpr size_t kStampedBytes = 8 + 4 + 2 + kLogIdBytes;

// Returns random bytes that nobody can guess. Errors: UNAVAILABLE, the machine has none.
[[nodiscard]] absl::StatusOr<std::string> NewLogId();

// Writes the stamp into an empty batch.
[[nodiscard]] absl::Status Stamp(std::string_view log_id, rocksdb::WriteBatch& batch);

// Whether these are the first bytes of a batch of the directory with this id. `batch` may be longer than kStampedBytes.
[[nodiscard]] bool IsStamped(std::string_view batch, std::string_view log_id);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_LOG_STAMP_H_
