#ifndef HAPAX_SERVER_ROCKSDB_ENGINE_H_
#define HAPAX_SERVER_ROCKSDB_ENGINE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/engine.h"

namespace hapax {

// The engine "rocksdb": embedded, in a directory that one server has. See CheckEngine and OpenEngine.
[[nodiscard]] absl::Status CheckRocksDbEngine(const ServerOptions& options);
[[nodiscard]] absl::StatusOr<Engine> OpenRocksDbEngine(const ServerOptions& options, const EngineParts& parts);

}  // namespace hapax

#endif  // HAPAX_SERVER_ROCKSDB_ENGINE_H_
