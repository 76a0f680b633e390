#ifndef HAPAX_CLIENT_WIRE_TLS_FILES_H_
#define HAPAX_CLIENT_WIRE_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"

namespace hapax::client {

struct ConnectionOptions;

// The contents (PEM) of a connection's TLS files. Empty for files that are not given.
struct TlsFiles {
  std::string roots;
  std::string certificates;  // The client's own certificate first, then those that lead to a root.
  std::string key;
};

// Reads the files, and checks them. gRPC itself would report their errors only by failing calls.
// Errors: INVALID_ARGUMENT, naming option and file: a file cannot be read or is not PEM of its kind; the key is
// encrypted or not the certificate's; only one of certificate and key is given.
[[nodiscard]] absl::StatusOr<TlsFiles> ReadTlsFiles(const ConnectionOptions& options);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_TLS_FILES_H_
