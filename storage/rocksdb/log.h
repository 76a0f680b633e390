#ifndef HAPAX_STORAGE_ROCKSDB_LOG_H_
#define HAPAX_STORAGE_ROCKSDB_LOG_H_

#include <functional>
#include <memory>
#include <string_view>

#include "rocksdb/env.h"

namespace hapax {

// RocksDB's log, from warnings on: `log` gets the first line of each, on any thread, and that tells no keys;
// without `log` they are swallowed.
//
// Its own logger, to a file beside the data, ends the process when it cannot write: Debian's RocksDB has
// assertions, and one of them forbids a second write to a file that failed once.
[[nodiscard]] std::shared_ptr<rocksdb::Logger> ForwardRocksDbLog(std::function<void(std::string_view line)> log);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_LOG_H_
