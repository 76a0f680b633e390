#ifndef HAPAX_SERVER_HTTP_HTTP_TLS_H_
#define HAPAX_SERVER_HTTP_HTTP_TLS_H_

#include <openssl/ssl.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/server/http/message.h"
#include "hapax/server/options/tls_files.h"

namespace hapax {

// The TLS of HTTP connections: at least version 1.2, HTTP/1.1 alone, no session is resumed. Each handshake uses the
// files that were given last.
//
// Thread-safety: safe.
class HttpTls {
 public:
  // Requires: the files were checked (ReadTlsFiles).
  void Use(const TlsPems& pems);

  // For a new connection. Null before Use.
  [[nodiscard]] std::shared_ptr<SSL_CTX> context() const;

 private:
  mutable absl::Mutex mu_;
  std::shared_ptr<SSL_CTX> context_ ABSL_GUARDED_BY(mu_);
};

// Tells the request who presented a certificate, if the peer did.
void NamePeer(const SSL& connection, HttpRequest& request);

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_HTTP_TLS_H_
