#ifndef HAPAX_CLIENT_WIRE_CONNECTION_H_
#define HAPAX_CLIENT_WIRE_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "hapax/client/wire/destination.h"

namespace hapax::client {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// One attempt of a unary call, as bytes.
struct Attempt {
  std::string method;  // Full name, `package.Service/Method`.
  std::string request;
  Metadata metadata;
  absl::Time deadline;
  size_t endpoint = 0;  // Where it goes: less than Connection::endpoint_count().
};

// How an attempt ended. Error details, such as google.rpc.ErrorInfo, are payloads of the status by type URL.
struct AttemptEnd {
  absl::Status status;
  std::string reply;
  Metadata metadata;  // Initial metadata, then trailing metadata.
  // False if nothing left this process. Then the attempt made no effect.
  bool sent = true;
};

// A connection to a server, or to several over one store, on which attempts are made. It retries nothing. Tests replace
// it.
//
// Thread-safety: safe.
// Lifetime: its destructor cancels the running attempts and waits for their ends, so it must not run in a Done. A
// forked child must not use its parent's connection, but may destroy it.
class Connection {
 public:
  using Done = absl::AnyInvocable<void(AttemptEnd) &&>;
  // Cancels the attempt. Has no effect once it has ended.
  using Cancel = absl::AnyInvocable<void()>;

  virtual ~Connection() = default;

  // Starts an attempt. `done` is called once, on any thread, possibly before this returns, and also if the attempt is
  // cancelled or its deadline passes. It is then destroyed, even if the Cancel still exists. The attempt ends with
  // INVALID_ARGUMENT, and nothing is sent, if metadata contains characters that are not allowed. Likewise with
  // FAILED_PRECONDITION in a forked child of the process that opened the connection.
  virtual Cancel Start(Attempt attempt, Done done) = 0;

  // Returns the destination of attempts, for a journal to record. Its endpoint is empty if unknown.
  [[nodiscard]] virtual Destination destination() const { return {}; }

  // Returns the error that every attempt would certainly end with, such as FAILED_PRECONDITION in a forked child. OK if
  // there is none.
  [[nodiscard]] virtual absl::Status CheckUsable() const { return absl::OkStatus(); }

  // Returns how many endpoints attempts can go to.
  [[nodiscard]] virtual size_t endpoint_count() const { return 1; }
  // Returns the name of an endpoint, for errors.
  [[nodiscard]] virtual std::string endpoint_name(size_t) const { return destination().endpoint; }
  // Returns the endpoint that the next attempt should go to: one that is not in `avoided`, if there is one. Asked once
  // for each attempt if there are several.
  [[nodiscard]] virtual size_t ChooseEndpoint(absl::Span<const size_t>) { return 0; }
};

struct ConnectionOptions {
  // HOST:PORT, with an IPv6 address in brackets; or a form of gRPC: `dns:///HOST:PORT`, `ipv4:ADDRESS:PORT`,
  // `ipv6:[ADDRESS]:PORT`, `unix:PATH`, `unix:///PATH`, `unix-abstract:NAME`. A URL is not allowed.
  //
  // Commas separate up to 16 servers that share a store: `a.example:50051,b.example:50051`. Each is named once. An
  // attempt that fails at one is made at another (docs/embedding_the_client.md).
  std::string endpoint = "127.0.0.1:50051";
  // Sent with every call unless empty. The API key is sent as `x-api-key`; the tenant as `x-tenant-id`, for servers
  // that trust it.
  std::string api_key;
  std::string tenant;
  // TLS, with the system's roots or those in `tls_ca_file`. The other two files (PEM) hold a client certificate and its
  // key, for mutual TLS.
  bool tls = false;
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;
};

// Opens a connection over gRPC, which connects and reconnects in the background. gRPC's own retries are off, since they
// would multiply with those of the caller. A proxy of the environment is used unless the endpoint is this machine.
// Errors that may come from the proxy name it (proxy.h). With several endpoints, each has its own connection, made when
// it is first needed, and its certificate is checked for its own name.
// Errors: INVALID_ARGUMENT, naming the invalid endpoint, the file that cannot be read or is not PEM of its kind, the
// options that contradict one another, or a key or tenant that cannot be sent. FAILED_PRECONDITION in a process that
// was forked while gRPC was in use, since gRPC does not work there. An absent server is not an error; calls report it.
[[nodiscard]] absl::StatusOr<std::shared_ptr<Connection>> Connect(const ConnectionOptions& options);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_CONNECTION_H_
