#ifndef HAPAX_SERVER_TLS_FILES_H_
#define HAPAX_SERVER_TLS_FILES_H_

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
  absl::Time valid_until;  // The certificate.
};

// Reads the files, and checks that they can be used together, so that a handshake does not find out.
// Errors: "tls_cert_file=<path>: <what is wrong>", and likewise tls_key_file and tls_client_ca_file. INVALID_ARGUMENT,
// it is missing, not PEM, or the key is not the certificate's; PERMISSION_DENIED, it cannot be read, or others may read
// the key. It repeats nothing of what is in them.
[[nodiscard]] absl::StatusOr<TlsPems> ReadTlsFiles(const TlsFiles& files);

}  // namespace hapax

#endif  // HAPAX_SERVER_TLS_FILES_H_
