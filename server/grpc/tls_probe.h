#ifndef HAPAX_SERVER_GRPC_TLS_PROBE_H_
#define HAPAX_SERVER_GRPC_TLS_PROBE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hapax {

// Connects to a server and returns the SHA-256 fingerprint of the certificate that it shows, in hexadecimal digits.
// Presents no certificate itself.
// Errors: UNAVAILABLE, no connection or no certificate within `timeout`.
[[nodiscard]] absl::StatusOr<std::string> ShownCertificate(const std::string& host, int port, absl::Duration timeout);

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_TLS_PROBE_H_
