#ifndef HAPAX_SERVER_SHARED_ENGINE_H_
#define HAPAX_SERVER_SHARED_ENGINE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hapax/server/engine.h"
#include "hapax/storage/remote/backend.h"

// What the engines have in common whose rows several servers share.
namespace hapax {

// Options of one engine that another has no use for: name and value, empty if it was not given.
struct GivenOption {
  absl::string_view name;
  std::string value;
};
[[nodiscard]] std::vector<GivenOption> EtcdOptionsGiven(const ServerOptions& options);
[[nodiscard]] std::vector<GivenOption> PostgresOptionsGiven(const ServerOptions& options);

// Errors: INVALID_ARGUMENT, one of them was given: "is of use only with store=<store>".
[[nodiscard]] absl::Status CheckNoneGiven(const std::vector<GivenOption>& options, absl::string_view store);

// "server_id=...". Errors: INVALID_ARGUMENT.
[[nodiscard]] absl::Status CheckServerId(const ServerOptions& options);

// The data directory, and what lies in it or beside it, is another engine's. `where` is where the rows are, such as
// "the cluster". Errors: INVALID_ARGUMENT.
[[nodiscard]] absl::Status CheckHasNoDirectory(const ServerOptions& options, absl::string_view where);

// The engine over a backend. `database` is what it is called, such as "etcd"; `place` as of Engine; `where` as above.
[[nodiscard]] Engine MakeSharedEngine(const ServerOptions& options, std::unique_ptr<RemoteBackend> backend,
                                      const std::string& database, const std::string& place, const std::string& where);

}  // namespace hapax

#endif  // HAPAX_SERVER_SHARED_ENGINE_H_
