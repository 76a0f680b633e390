#ifndef HAPAX_STORAGE_LOG_CHECK_H_
#define HAPAX_STORAGE_LOG_CHECK_H_

#include <string>

#include "absl/status/status.h"

namespace hapax {

// Whether the write-ahead logs of a data directory end where RocksDB will find their end. Internal to storage.
//
// RocksDB takes a record that reaches beyond the end of its log, or whose header is zero, for a write that a crash has
// cut off: it drops that one, and what follows, without a word. But we sync each write before the next: behind one
// that was cut off there is none. Where there is, one byte of damage would lose acknowledged writes, and free their
// tokens. All other damage RocksDB finds itself, by its checksums.
//
// Errors: DATA_LOSS, a log goes on behind such a record, or that record is complete but for its length.
[[nodiscard]] absl::Status CheckLogs(const std::string& path);

}  // namespace hapax

#endif  // HAPAX_STORAGE_LOG_CHECK_H_
