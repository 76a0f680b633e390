#ifndef HAPAX_STORAGE_ROCKSDB_LOG_CHECK_H_
#define HAPAX_STORAGE_ROCKSDB_LOG_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace hapax {

// Whether the write-ahead logs of a data directory end where RocksDB will find their end. Internal to storage.
//
// RocksDB takes a record that reaches beyond the end of its log, or whose header is zero, for a write that a crash has
// cut off: it drops that one, and what follows, without a word. But we sync each write before the next: behind one
// that was cut off there is none. Where there is, one byte of damage would lose acknowledged writes, and free their
// tokens. All other damage RocksDB finds itself, by its checksums.
//
// What lies behind is a write of ours when it bears `log_id` (log_stamp.h) and a higher number than those before. A
// write that was cut off may hold any bytes that a tenant chose, sound records among them, but not the log id.
//
// `log_id` is empty for a directory that has none yet: either nobody has stored anything in it, or a server before
// version 2 of the format wrote it. There any sound record counts as a write, which refuses too much rather than too
// little. A log like that is there for the first start alone.
//
// Errors: DATA_LOSS, a log goes on behind such a record, or that record is complete but for its length; UNAVAILABLE, a
// log cannot be read.
[[nodiscard]] absl::Status CheckLogs(const std::string& path, std::string_view log_id);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_LOG_CHECK_H_
