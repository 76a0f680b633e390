#ifndef HAPAX_SERVER_GRPC_TLS_CREDENTIALS_H_
#define HAPAX_SERVER_GRPC_TLS_CREDENTIALS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/security/server_credentials.h"
#include "hapax/server/options/tls_files.h"

namespace hapax {

// A server's credentials out of files that may change while it runs. Each handshake has those that were read last;
// connections that exist go on with what they began with.
//
// gRPC's own watcher of files takes them as it finds them, and a key that does not belong to the certificate, as
// between the writing of the one and of the other, leaves the server without either. So what is read is checked first.
//
// Thread-safety: for one thread; handshakes may go on meanwhile.
class TlsCredentials {
 public:
  // Errors: those of ReadTlsFiles.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TlsCredentials>> Open(TlsFiles files);

  // Reads the files again. Errors: those of ReadTlsFiles; INVALID_ARGUMENT, the certificate is not valid at `now`, and
  // the one in use is. Then what was read last stays.
  [[nodiscard]] absl::Status Reload(absl::Time now);

  // Of the certificate that was read last. The next handshake shows it.
  [[nodiscard]] const std::string& serial() const { return certificate_.serial; }
  [[nodiscard]] const std::string& fingerprint() const { return certificate_.fingerprint; }
  [[nodiscard]] absl::Time valid_until() const { return certificate_.valid_until; }
  [[nodiscard]] bool IsValidAt(absl::Time now) const {
    return certificate_.valid_from <= now && now < certificate_.valid_until;
  }

  // For one server's one port. It may outlive this.
  [[nodiscard]] const std::shared_ptr<grpc::ServerCredentials>& grpc() const { return grpc_; }

 private:
  class Handshakes;

  explicit TlsCredentials(TlsFiles files) : files_(std::move(files)) {}

  void Use(TlsPems pems);

  const TlsFiles files_;
  TlsPems certificate_;  // What it says of itself; the texts are the handshakes'.
  std::shared_ptr<Handshakes> handshakes_;
  std::shared_ptr<grpc::ServerCredentials> grpc_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_TLS_CREDENTIALS_H_
