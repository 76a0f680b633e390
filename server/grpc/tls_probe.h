#ifndef HAPAX_SERVER_GRPC_TLS_PROBE_H_
#define HAPAX_SERVER_GRPC_TLS_PROBE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hapax {

// The SHA-256 fingerprint, in hexadecimal digits, of the certificate that a server shows to a new connection. It asks
// the server itself, over the network, and shows none. Errors: UNAVAILABLE, no connection, or no certificate, in that
// time.
[[nodiscard]] absl::StatusOr<std::string> ShownCertificate(const std::string& host, int port, absl::Duration timeout);

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_TLS_PROBE_H_
