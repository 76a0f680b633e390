#ifndef HAPAX_SERVER_OPTIONS_TLS_TRIAL_H_
#define HAPAX_SERVER_OPTIONS_TLS_TRIAL_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/server/options/tls_files.h"

namespace hapax {

// Tries the files' contents with OpenSSL as gRPC will use them: in a context of the same settings and security level,
// and in a handshake, which takes place in memory. So a certificate that parses and that no handshake works with is
// found. Errors: INVALID_ARGUMENT, "<option>=<path>: <what is wrong>".
[[nodiscard]] absl::Status TryTls(const TlsFiles& files, const TlsPems& pems);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_TLS_TRIAL_H_
