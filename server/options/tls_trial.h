#ifndef HAPAX_SERVER_OPTIONS_TLS_TRIAL_H_
#define HAPAX_SERVER_OPTIONS_TLS_TRIAL_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/server/options/tls_files.h"

namespace hapax {

// Tries the files' content with OpenSSL as gRPC will use it: in a context with the same settings and security level,
// and in a handshake in memory. So it detects a certificate that parses but works in no handshake.
// Errors: INVALID_ARGUMENT, "<option>=<path>: <error>".
[[nodiscard]] absl::Status TryTls(const TlsFiles& files, const TlsPems& pems);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_TLS_TRIAL_H_
