#ifndef HAPAX_STORAGE_ROCKSDB_LOG_H_
#define HAPAX_STORAGE_ROCKSDB_LOG_H_

#include <functional>
#include <memory>
#include <string_view>

#include "rocksdb/env.h"

namespace hapax {

// RocksDB's log, from warnings on. `log` gets the first line of each message, on any thread; those lines contain no
// keys. Without `log` the messages are dropped.
//
// RocksDB's own logger writes to a file beside the data, and ends the process when it cannot write. Debian's RocksDB
// has assertions, and one of them forbids a second write to a file that failed once.
[[nodiscard]] std::shared_ptr<rocksdb::Logger> ForwardRocksDbLog(std::function<void(std::string_view line)> log);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_LOG_H_
