#include "hapax/server/grpc/tls_credentials.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpc/grpc_security.h"
#include "hapax/base/check.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"

namespace hapax {

// gRPC's C++ API has no credentials that change, but its C API has (grpc_security.h): it asks at each handshake for a
// new configuration, and otherwise keeps the current one.
class TlsCredentials::Handshakes final : public grpc::ServerCredentials {
 public:
  explicit Handshakes(bool clients_show_certificates)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                clients_show_certificates ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                          : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                &Handshakes::Fetch, this))) {}
  ~Handshakes() override { grpc_server_credentials_release(credentials_); }

  void Use(TlsPems pems) {
    const absl::MutexLock lock(&mu_);
    fresh_ = std::move(pems);
  }

 private:
  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    auto& handshakes = *static_cast<Handshakes*>(self);
    std::optional<TlsPems> fresh;
    {
      const absl::MutexLock lock(&handshakes.mu_);
      fresh = std::exchange(handshakes.fresh_, std::nullopt);
    }
    if (!fresh.has_value()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{.private_key = fresh->private_key.c_str(),
                                          .cert_chain = fresh->cert_chain.c_str()};
    // gRPC requires client CAs even if it asks clients for no certificate; then they are not used.
    const std::string& client_cas = fresh->client_cas.empty() ? fresh->cert_chain : fresh->client_cas;
    *config = grpc_ssl_server_certificate_config_create(client_cas.c_str(), &pair, 1);  // It copies its arguments.
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {
    HAPAX_CHECK(false, "callers are told apart by the chain");
  }
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    // gRPC returns no port for connections accepted elsewhere, whether it took the credentials or not.
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
  absl::Mutex mu_;
  std::optional<TlsPems> fresh_ ABSL_GUARDED_BY(mu_);  // Not yet seen by a handshake.
};

absl::StatusOr<std::unique_ptr<TlsCredentials>> TlsCredentials::Open(TlsFiles files, OnUse also) {
  std::unique_ptr<TlsCredentials> credentials(new TlsCredentials(std::move(files), std::move(also)));
  credentials->handshakes_ = std::make_shared<Handshakes>(!credentials->files_.client_ca_file.empty());
  credentials->grpc_ = credentials->handshakes_;
  HAPAX_ASSIGN_OR_RETURN(TlsPems pems, ReadTlsFiles(credentials->files_));
  credentials->Use(std::move(pems));
  return credentials;
}

absl::Status TlsCredentials::Reload(absl::Time now) {
  HAPAX_ASSIGN_OR_RETURN(TlsPems pems, ReadTlsFiles(files_));
  if (IsValidAt(now) && (now < pems.valid_from || pems.valid_until <= now)) {
    return OptionError("tls_cert_file", files_.cert_file,
                       absl::InvalidArgumentError(absl::StrCat(
                           "its certificate is valid from ", absl::FormatTime(pems.valid_from, absl::UTCTimeZone()),
                           " until ", absl::FormatTime(pems.valid_until, absl::UTCTimeZone()), ", which is not now")));
  }
  Use(std::move(pems));
  return absl::OkStatus();
}

void TlsCredentials::Use(TlsPems pems) {
  certificate_ = {.serial = pems.serial,
                  .fingerprint = pems.fingerprint,
                  .valid_from = pems.valid_from,
                  .valid_until = pems.valid_until};
  if (also_ != nullptr) also_(pems);
  handshakes_->Use(std::move(pems));
}

}  // namespace hapax
