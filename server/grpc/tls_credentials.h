#ifndef HAPAX_SERVER_GRPC_TLS_CREDENTIALS_H_
#define HAPAX_SERVER_GRPC_TLS_CREDENTIALS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/security/server_credentials.h"
#include "hapax/server/options/tls_files.h"

namespace hapax {

// A server's credentials from files that may change while it runs. Each handshake uses the files read last; existing
// connections keep theirs.
//
// gRPC's own file watcher takes files unchecked. If the key does not match the certificate, as between the writing of
// the two, the server is left without either. So this class checks what it reads first.
//
// Thread-safety: for one thread; handshakes may run meanwhile.
class TlsCredentials {
 public:
  // `also` gets the files that are used, now and after each reload.
  // Errors: those of ReadTlsFiles.
  using OnUse = std::function<void(const TlsPems&)>;
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TlsCredentials>> Open(TlsFiles files, OnUse also = nullptr);

  // Rereads the files. Errors, which leave the current files in use: those of ReadTlsFiles; INVALID_ARGUMENT, the
  // certificate is not valid at `now`, and the one in use is.
  [[nodiscard]] absl::Status Reload(absl::Time now);

  // Of the certificate read last, which the next handshake shows.
  [[nodiscard]] const std::string& serial() const { return certificate_.serial; }
  [[nodiscard]] const std::string& fingerprint() const { return certificate_.fingerprint; }
  [[nodiscard]] absl::Time valid_until() const { return certificate_.valid_until; }
  [[nodiscard]] bool IsValidAt(absl::Time now) const {
    return certificate_.valid_from <= now && now < certificate_.valid_until;
  }

  // For one port of one server. May outlive this object.
  [[nodiscard]] const std::shared_ptr<grpc::ServerCredentials>& grpc() const { return grpc_; }

 private:
  class Handshakes;

  TlsCredentials(TlsFiles files, OnUse also) : files_(std::move(files)), also_(std::move(also)) {}

  void Use(TlsPems pems);

  const TlsFiles files_;
  const OnUse also_;
  TlsPems certificate_;  // Without the PEM texts, which the handshakes have.
  std::shared_ptr<Handshakes> handshakes_;
  std::shared_ptr<grpc::ServerCredentials> grpc_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_TLS_CREDENTIALS_H_
