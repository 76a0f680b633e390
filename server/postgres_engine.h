#ifndef HAPAX_SERVER_POSTGRES_ENGINE_H_
#define HAPAX_SERVER_POSTGRES_ENGINE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/engine.h"

namespace hapax {

// The engine "postgres": the rows of a PostgreSQL, which several servers share. See CheckEngine and OpenEngine.
[[nodiscard]] absl::Status CheckPostgresEngine(const ServerOptions& options);
[[nodiscard]] absl::StatusOr<Engine> OpenPostgresEngine(const ServerOptions& options, const EngineParts& parts);

}  // namespace hapax

#endif  // HAPAX_SERVER_POSTGRES_ENGINE_H_
