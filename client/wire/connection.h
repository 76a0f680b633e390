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
  // False: nothing of it left this process, so it made no effect.
  bool sent = true;
};

// A connection to a server, on which attempts are made; tests replace it. It retries nothing.
//
// Thread-safety: safe.
// Lifetime: when it goes, it cancels the attempts that are under way and waits for their ends. So it must not go in a
// Done. A child that is forked off must not use its parent's connection, and may let it go.
class Connection {
 public:
  using Done = absl::AnyInvocable<void(AttemptEnd) &&>;
  // Cancels the attempt; does nothing once it has ended.
  using Cancel = absl::AnyInvocable<void()>;

  virtual ~Connection() = default;

  // Starts an attempt. `done` is called once, from any thread, also when the attempt is cancelled or its deadline
  // passes; possibly before this returns. Then it is destroyed, whether or not the Cancel still is there.
  // INVALID_ARGUMENT, and nothing is sent, when metadata has characters that it must not have. FAILED_PRECONDITION
  // likewise in a child of the process that opened the connection.
  virtual Cancel Start(Attempt attempt, Done done) = 0;

  // The destination of attempts, for a journal to record. It has no endpoint if that is unknown.
  [[nodiscard]] virtual Destination destination() const { return {}; }

  // The error that every attempt would end with, where that is certain: FAILED_PRECONDITION in a forked child.
  [[nodiscard]] virtual absl::Status CheckUsable() const { return absl::OkStatus(); }
};

struct ConnectionOptions {
  // HOST:PORT, with an IPv6 address in brackets; or a form of gRPC's: `dns:///HOST:PORT`, `ipv4:ADDRESS:PORT`,
  // `ipv6:[ADDRESS]:PORT`, `unix:PATH`, `unix:///PATH`, `unix-abstract:NAME`. A URL is none of them.
  std::string endpoint = "127.0.0.1:50051";
  // Sent with every call unless empty: the API key as `x-api-key`, the tenant as `x-tenant-id` (for servers that
  // believe their callers).
  std::string api_key;
  std::string tenant;
  // TLS, with the system's roots or those in the file. The two files (PEM) of a client certificate are for mutual TLS.
  bool tls = false;
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;
};

// A connection over gRPC, made and kept up in the background. gRPC's own retries are off: they would multiply with
// those of the caller. A proxy of the environment is used unless the endpoint is this machine, and named in errors
// that may be the proxy's (proxy.h).
// Errors: INVALID_ARGUMENT, naming an endpoint of no such form, the file that cannot be read or is not PEM of its kind,
// the options that contradict one another, or a key or tenant that cannot be sent. FAILED_PRECONDITION in a process
// that was forked off while gRPC was in use: it does not work there. Not an error: a server that is not there, which is
// for the calls to find out.
[[nodiscard]] absl::StatusOr<std::shared_ptr<Connection>> Connect(const ConnectionOptions& options);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_CONNECTION_H_
