#include "hapax/server/options/tls_trial.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/options/pem.h"

namespace hapax {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Connection = std::unique_ptr<SSL, decltype(&SSL_free)>;

// The ciphers of gRPC (ssl_transport_security.cc, ssl_utils.cc), for both sides.
constexpr char kCiphers[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kGroups[] = "P-256";
// Each side takes two or three turns.
constexpr int kMaxTurns = 20;
// The key strength in bits that OpenSSL requires at each of its security levels (SSL_CTX_set_security_level(3)).
constexpr int kBitsOfLevel[] = {0, 80, 112, 128, 192, 256};

Context NewContext(const SSL_METHOD* method) {
  Context context(SSL_CTX_new(method), SSL_CTX_free);
  HAPAX_CHECK(context != nullptr, "OpenSSL makes a context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_cipher_list(context.get(), kCiphers);
  SSL_CTX_set1_groups_list(context.get(), kGroups);
  return context;
}

// The reason why OpenSSL refused the certificate, in terms that its operator can look up.
absl::Status Refused(X509& certificate, size_t number, const SSL_CTX& context) {
  const std::string reason = TakeOpenSslError();
  const EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  return absl::InvalidArgumentError(absl::StrCat(
      "TLS cannot use certificate ", number, " in it, which has a key of ", key == nullptr ? 0 : EVP_PKEY_get_bits(key),
      " bits: ", reason, " (OpenSSL's security level is ", SSL_CTX_get_security_level(&context), ")"));
}

// Each certificate must be followed by its issuer, as TLS requires.
absl::Status CheckOrder(const std::vector<Certificate>& chain) {
  for (size_t i = 1; i < chain.size(); ++i) {
    if (X509_check_issued(chain[i].get(), chain[i - 1].get()) == X509_V_OK) continue;
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat("certificate ", i + 1, " in it did not issue certificate ", i,
                                                   "; each must be followed by the one that issued it"));
  }
  return absl::OkStatus();
}

absl::Status UseChain(const std::vector<Certificate>& chain, SSL_CTX& context) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate(&context, chain.front().get()) != 1) return Refused(*chain.front(), 1, context);
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(&context, chain[i].get()) != 1) return Refused(*chain[i], i + 1, context);
  }
  return CheckOrder(chain);
}

// Finds a CA whose key is too weak for OpenSSL to verify any client's certificate.
absl::Status CheckClientCas(const std::vector<Certificate>& cas, const SSL_CTX& context) {
  const int wanted = kBitsOfLevel[std::min<size_t>(static_cast<size_t>(SSL_CTX_get_security_level(&context)),
                                                   std::size(kBitsOfLevel) - 1)];
  for (size_t i = 0; i < cas.size(); ++i) {
    const EVP_PKEY* const key = X509_get0_pubkey(cas[i].get());
    if (key != nullptr && EVP_PKEY_get_security_bits(key) >= wanted) continue;
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat("TLS cannot verify clients by certificate ", i + 1,
                     " in it: its key is too weak, or of no known kind (OpenSSL's security "
                     "level is ",
                     SSL_CTX_get_security_level(&context), ")"));
  }
  return absl::OkStatus();
}

// Advances one side of the handshake. Returns whether it is done; its output waits in its half of the pair.
absl::StatusOr<bool> Advance(SSL& side) {
  ERR_clear_error();
  const int result = SSL_do_handshake(&side);
  if (result == 1) return true;
  const int error = SSL_get_error(&side, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  return absl::InvalidArgumentError(absl::StrCat("no TLS handshake works with it: ", TakeOpenSslError()));
}

absl::Status ShakeHands(SSL_CTX& server_context) {
  const Context client_context = NewContext(TLS_client_method());
  const Connection server(SSL_new(&server_context), SSL_free);
  const Connection client(SSL_new(client_context.get()), SSL_free);
  BIO* servers = nullptr;
  BIO* clients = nullptr;
  HAPAX_CHECK(server != nullptr && client != nullptr && BIO_new_bio_pair(&servers, 0, &clients, 0) == 1,
              "OpenSSL makes two ends of a connection");
  SSL_set_bio(server.get(), servers, servers);
  SSL_set_bio(client.get(), clients, clients);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  bool client_done = false;
  bool server_done = false;
  for (int turn = 0; turn < kMaxTurns && !(client_done && server_done); ++turn) {
    // The server advances first, since its error tells what is wrong. The client only learns that something is.
    HAPAX_ASSIGN_OR_RETURN(server_done, Advance(*server));
    HAPAX_ASSIGN_OR_RETURN(client_done, Advance(*client));
  }
  if (client_done && server_done) return absl::OkStatus();
  return absl::InvalidArgumentError("no TLS handshake with it comes to an end");
}

}  // namespace

absl::Status TryTls(const TlsFiles& files, const TlsPems& pems) {
  HAPAX_ASSIGN_OR_RETURN(const std::vector<Certificate> chain, ParseCertificates(pems.cert_chain));
  HAPAX_ASSIGN_OR_RETURN(const PrivateKey key, ParsePrivateKey(pems.private_key));
  const Context context = NewContext(TLS_server_method());
  if (absl::Status used = UseChain(chain, *context); !used.ok()) {
    return OptionError("tls_cert_file", files.cert_file, used);
  }
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 || SSL_CTX_check_private_key(context.get()) != 1) {
    return OptionError("tls_key_file", files.key_file,
                       absl::InvalidArgumentError("TLS cannot use it: " + TakeOpenSslError()));
  }
  if (absl::Status shaken = ShakeHands(*context); !shaken.ok()) {
    return OptionError("tls_cert_file", files.cert_file, shaken);
  }
  if (pems.client_cas.empty()) return absl::OkStatus();
  HAPAX_ASSIGN_OR_RETURN(const std::vector<Certificate> cas, ParseCertificates(pems.client_cas));
  if (absl::Status usable = CheckClientCas(cas, *context); !usable.ok()) {
    return OptionError("tls_client_ca_file", files.client_ca_file, usable);
  }
  return absl::OkStatus();
}

}  // namespace hapax
