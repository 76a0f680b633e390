#ifndef HAPAX_CLIENT_WIRE_CONNECTION_H_
#define HAPAX_CLIENT_WIRE_CONNECTION_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/client/wire/destination.h"

namespace hapax::client {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// One attempt of a unary call, as bytes.
struct Attempt {
  std::string method;  // Full name, `package.Service/Method`.
  std::string request;
  Metadata metadata;
  absl::Time deadline;
};

// How an attempt ended. Error details, such as google.rpc.ErrorInfo, are payloads of the status by type URL.
struct AttemptEnd {
  absl::Status status;
  std::string reply;
  Metadata metadata;  // Initial, then trailing.
};

// A connection to a server, on which attempts are made; tests replace it. It retries nothing.
//
// Thread-safety: safe.
// Lifetime: the destructor cancels running attempts and waits for their ends. So a Done must not destroy it.
class Connection {
 public:
  using Done = absl::AnyInvocable<void(AttemptEnd) &&>;
  // Cancels the attempt; does nothing once it has ended.
  using Cancel = absl::AnyInvocable<void()>;

  virtual ~Connection() = default;

  // Starts an attempt. `done` is called once and then destroyed, from any thread, also after cancellation or the
  // deadline, possibly before Start returns. It does not depend on the lifetime of the Cancel. INVALID_ARGUMENT,
  // without sending anything, if metadata has forbidden characters.
  virtual Cancel Start(Attempt attempt, Done done) = 0;

  // The destination of attempts, for a journal to record. It has no endpoint if that is unknown.
  [[nodiscard]] virtual Destination destination() const { return {}; }
};

struct ConnectionOptions {
  std::string endpoint = "127.0.0.1:50051";  // HOST:PORT.
  // Sent with every call unless empty: the API key as `x-api-key`, the tenant as `x-tenant-id` (for servers that trust
  // their callers).
  std::string api_key;
  std::string tenant;
  // TLS, with the system's roots or those in the file. The two files (PEM) of a client certificate are for mutual TLS.
  bool tls = false;
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;
};

// A gRPC connection, made and kept open in the background. gRPC's own retries are off, since they would multiply those
// of the caller. A proxy from the environment is used unless the endpoint is this machine. Errors that may be the
// proxy's name it (proxy.h).
// Errors: INVALID_ARGUMENT, naming a file that cannot be read, contradictory options, or a key or tenant that cannot be
// sent. An unreachable server is not an error here, but of the calls.
[[nodiscard]] absl::StatusOr<std::shared_ptr<Connection>> Connect(const ConnectionOptions& options);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_CONNECTION_H_
