#ifndef HAPAX_CLIENT_WIRE_TLS_FILES_H_
#define HAPAX_CLIENT_WIRE_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"

namespace hapax::client {

struct ConnectionOptions;

// The texts (PEM) of a connection's TLS files; empty for those that are not given.
struct TlsFiles {
  std::string roots;
  std::string certificates;  // The client's own first, then those that lead to a root.
  std::string key;
};

// Reads the files, and checks what gRPC would only tell by calls that fail.
// Errors: INVALID_ARGUMENT, naming option and file, for one that cannot be read or is not PEM of its kind, for a key
// that is encrypted or not the certificate's, and for a certificate without its key or a key without its certificate.
[[nodiscard]] absl::StatusOr<TlsFiles> ReadTlsFiles(const ConnectionOptions& options);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_TLS_FILES_H_
