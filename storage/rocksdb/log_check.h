#ifndef HAPAX_STORAGE_ROCKSDB_LOG_CHECK_H_
#define HAPAX_STORAGE_ROCKSDB_LOG_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace hapax {

// Checks that the write-ahead logs of a data directory end where RocksDB will find their end. Internal to storage.
//
// RocksDB takes a record for cut off by a crash when it reaches beyond the end of its log, or when its header is zero.
// It silently drops that record and everything behind it. But each write is synced before the next, so nothing can
// follow a write that was cut off. If something does, one damaged byte would lose acknowledged writes and free their
// tokens. RocksDB finds all other damage itself, by its checksums.
//
// A record behind the cut is ours if it contains `log_id` (log_stamp.h) and a higher number than the writes before. A
// write that was cut off may hold any bytes that a tenant chose, even sound records, but not the log id.
//
// `log_id` is empty for a directory without one: nothing was stored in it yet, or a server before format version 2
// wrote it. There any sound record counts as a write, which refuses too much rather than too little. Only the first
// start sees such a log.
//
// Errors: DATA_LOSS, a log goes on behind such a record, or only the length of that record is wrong; UNAVAILABLE, a log
// cannot be read.
[[nodiscard]] absl::Status CheckLogs(const std::string& path, std::string_view log_id);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_LOG_CHECK_H_
