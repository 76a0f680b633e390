#ifndef HAPAX_SERVER_OPTIONS_TLS_FILES_H_
#define HAPAX_SERVER_OPTIONS_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hapax {

// Files, PEM, that a server encrypts its connections with. All empty: it does not.
struct TlsFiles {
  // The certificate, followed by those that lead from it to the CA that clients know.
  std::string cert_file;
  // Its private key, without a passphrase.
  std::string key_file;
  // CAs of clients. Empty: clients show no certificate. Else the handshake refuses who has none of these.
  std::string client_ca_file;

  [[nodiscard]] bool empty() const { return cert_file.empty() && key_file.empty() && client_ca_file.empty(); }
};

// What is in them.
struct TlsPems {
  std::string cert_chain;
  std::string private_key;
  std::string client_cas;
  // Of the server's certificate: its serial number, in hexadecimal digits, its fingerprint (SHA-256, likewise), and
  // when it is valid.
  std::string serial;
  std::string fingerprint;
  absl::Time valid_from;
  absl::Time valid_until;
};

// Reads the files, and tries them (tls_trial.h), so that no client's handshake finds out. A certificate that is not
// valid yet, or any more, is read all the same: by whose clock is for clients to judge. Errors: "tls_cert_file=<path>:
// <what is wrong>", and likewise tls_key_file and tls_client_ca_file. INVALID_ARGUMENT, it is not PEM, the key is not
// the certificate's, or no handshake works with them; NOT_FOUND, it is missing; PERMISSION_DENIED, it cannot be read,
// or others may read the key. It repeats nothing of what is in them.
[[nodiscard]] absl::StatusOr<TlsPems> ReadTlsFiles(const TlsFiles& files);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_TLS_FILES_H_
