#ifndef HAPAX_SERVER_ETCD_ENGINE_H_
#define HAPAX_SERVER_ETCD_ENGINE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/engine.h"

namespace hapax {

// The engine "etcd": the rows of a cluster, which several servers share. See CheckEngine and OpenEngine.
[[nodiscard]] absl::Status CheckEtcdEngine(const ServerOptions& options);
[[nodiscard]] absl::StatusOr<Engine> OpenEtcdEngine(const ServerOptions& options, const EngineParts& parts);

}  // namespace hapax

#endif  // HAPAX_SERVER_ETCD_ENGINE_H_
