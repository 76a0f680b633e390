#ifndef HAPAX_SERVER_OPTIONS_TLS_FILES_H_
#define HAPAX_SERVER_OPTIONS_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hapax {

// The PEM files of a server's TLS. All empty: connections are not encrypted.
struct TlsFiles {
  // The server's certificate, followed by the intermediate certificates up to the CA that clients trust.
  std::string cert_file;
  // The private key of the certificate, without a passphrase.
  std::string key_file;
  // CAs of clients. Empty: clients present no certificate. Otherwise the handshake refuses clients without a
  // certificate from one of these.
  std::string client_ca_file;

  [[nodiscard]] bool empty() const { return cert_file.empty() && key_file.empty() && client_ca_file.empty(); }
};

// The content of the files.
struct TlsPems {
  std::string cert_chain;
  std::string private_key;
  std::string client_cas;
  // The serial number and the SHA-256 fingerprint of the server's certificate, in hexadecimal digits, and its validity
  // period.
  std::string serial;
  std::string fingerprint;
  absl::Time valid_from;
  absl::Time valid_until;
};

// Reads the files and tests them (tls_trial.h), so that errors show before the first handshake of a client. A
// certificate that is expired or not yet valid is accepted, since clients judge by their own clocks.
// Errors: "tls_cert_file=<path>: <error>", and likewise tls_key_file and tls_client_ca_file. INVALID_ARGUMENT: it is
// not PEM, the key is not the certificate's, or no handshake works with them. NOT_FOUND: it is missing.
// PERMISSION_DENIED: it cannot be read, or others may read the key. The message contains nothing of the content.
[[nodiscard]] absl::StatusOr<TlsPems> ReadTlsFiles(const TlsFiles& files);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_TLS_FILES_H_
