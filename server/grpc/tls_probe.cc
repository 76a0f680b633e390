#include "hapax/server/grpc/tls_probe.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hapax/server/options/pem.h"

namespace hapax {
namespace {

// A connection with this timeout for each read and write, or -1 with errno.
int ConnectTo(const addrinfo& address, absl::Duration timeout) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const timeval limit = absl::ToTimeval(timeout);
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(socket, address.ai_addr, address.ai_addrlen) == 0) return socket;
  const int error = errno;
  close(socket);
  errno = error;
  return -1;
}

// Records the certificate and stops the handshake before the server hears from this side: otherwise it would complain
// about a client without a certificate.
int TakeCertificate(X509_STORE_CTX* verified, void* shown) {
  if (const X509* certificate = X509_STORE_CTX_get0_cert(verified); certificate != nullptr) {
    *static_cast<std::string*>(shown) = FingerprintOf(*certificate);
  }
  auto* const connection =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(verified, SSL_get_ex_data_X509_STORE_CTX_idx()));
  SSL_set_retry_verify(connection);
  return 1;
}

// Turns a connection closed by the server into an OpenSSL error instead of a signal to this thread.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    constexpr timespec kAtOnce{};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&sigpipe_, nullptr, &kAtOnce);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t before_;
};

}  // namespace

absl::StatusOr<std::string> ShownCertificate(const std::string& host, int port, absl::Duration timeout) {
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* addresses = nullptr;
  const std::string name = has_brackets ? host.substr(1, host.size() - 2) : host;
  if (getaddrinfo(name.c_str(), absl::StrCat(port).c_str(), &hints, &addresses) != 0) {
    return absl::UnavailableError(absl::StrCat("no address of ", host));
  }
  const absl::Cleanup free_addresses = [&] { freeaddrinfo(addresses); };
  const int socket = ConnectTo(*addresses, timeout);
  if (socket < 0) return absl::UnavailableError(absl::StrCat("no connection: ", std::strerror(errno)));
  const absl::Cleanup close_socket = [&] { close(socket); };

  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  std::string shown;
  SSL_CTX_set_cert_verify_callback(context.get(), &TakeCertificate, &shown);
  const std::unique_ptr<SSL, decltype(&SSL_free)> connection(SSL_new(context.get()), SSL_free);
  constexpr unsigned char kProtocols[] = "\x02h2";
  SSL_set_alpn_protos(connection.get(), kProtocols, sizeof(kProtocols) - 1);
  SSL_set_fd(connection.get(), socket);
  const NoSigpipe no_sigpipe;
  ERR_clear_error();
  SSL_connect(connection.get());
  const std::string error = TakeOpenSslError();
  if (shown.empty()) return absl::UnavailableError("no certificate was shown: " + error);
  return shown;
}

}  // namespace hapax
