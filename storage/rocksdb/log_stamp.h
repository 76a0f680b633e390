#ifndef HAPAX_STORAGE_ROCKSDB_LOG_STAMP_H_
#define HAPAX_STORAGE_ROCKSDB_LOG_STAMP_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/write_batch.h"

// What tells a write in our log from bytes that only look like one. Internal to storage.
//
// The checksums of RocksDB's log are no secret: whoever may store a value can store one that holds a whole log record
// with a sound checksum. So each data directory has 16 random bytes of its own, its log id, made once, kept in table
// meta and never shown, and each write begins with them. A batch in the log:
//
//   | number of its first row, 8 bytes LE | count of rows, 4 bytes LE | 0x03 | 0x10 | the log id, 16 bytes | rows |
namespace hapax {

inline constexpr size_t kLogIdBytes = 16;
// How much of a batch it takes to see whether it is stamped.
inline constexpr size_t kStampedBytes = 8 + 4 + 2 + kLogIdBytes;

// Random bytes that nobody can guess. Errors: UNAVAILABLE, the machine has none.
[[nodiscard]] absl::StatusOr<std::string> NewLogId();

// Begins an empty batch.
[[nodiscard]] absl::Status Stamp(std::string_view log_id, rocksdb::WriteBatch& batch);

// Whether these are the first bytes of a batch of the directory with this id. `batch` may be longer than it takes.
[[nodiscard]] bool IsStamped(std::string_view batch, std::string_view log_id);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_LOG_STAMP_H_
