#ifndef HAPAX_CLIENT_WIRE_ENDPOINT_H_
#define HAPAX_CLIENT_WIRE_ENDPOINT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hapax::client {

// The forms of an endpoint that gRPC understands (its doc/naming.md). gRPC looks up any other text as a host name,
// until the deadline of every call.

// `a.example`, `10.0.0.1` or `[::1]`.
[[nodiscard]] bool IsHost(std::string_view text);

// A host and a port from 1 to 65535.
[[nodiscard]] bool IsHostAndPort(std::string_view text);

// INVALID_ARGUMENT, naming `endpoint`, its value and what is allowed, unless it has one of these forms:
//   HOST:PORT              a name, an IPv4 address, or an IPv6 address in brackets
//   dns:///HOST:PORT       the same; dns://SERVER/HOST:PORT asks that name server
//   ipv4:ADDRESS:PORT
//   ipv6:[ADDRESS]:PORT
//   unix:PATH              a Unix socket; unix:///PATH for an absolute path
//   unix-abstract:NAME     a Unix socket without a file
[[nodiscard]] absl::Status CheckEndpoint(std::string_view endpoint);

// The most endpoints of one connection.
inline constexpr size_t kMaxEndpoints = 16;

// Splits a list such as `a.example:1,b.example:1`. Errors: INVALID_ARGUMENT, naming the entry that CheckEndpoint
// refuses, or that is the same as an earlier one. A duplicate is refused, not ignored: it is likely a mistake for
// another server, which would be missed only when it is needed.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ParseEndpoints(std::string_view list);

// Returns the endpoint as errors and journals name it: in lower case unless it is a Unix socket.
[[nodiscard]] std::string EndpointName(std::string_view endpoint);

// Whether the endpoint is a Unix socket, `unix:` or `unix-abstract:`.
[[nodiscard]] bool IsUnixSocket(std::string_view endpoint);

// Returns the host of an endpoint, without brackets. Empty for a Unix socket.
[[nodiscard]] std::string HostOf(std::string_view endpoint);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_ENDPOINT_H_
