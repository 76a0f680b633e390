#include "hapax/server/http/http_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hapax/base/check.h"
#include "hapax/server/options/pem.h"

namespace hapax {
namespace {

constexpr std::string_view kHttp11 = "\x08http/1.1";
constexpr unsigned char kSessionContext[] = "hapax";

int ChooseHttp11(SSL* /*connection*/, const unsigned char** chosen, unsigned char* chosen_size,
                 const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
  unsigned char* found = nullptr;
  const auto* const ours = reinterpret_cast<const unsigned char*>(kHttp11.data());
  if (SSL_select_next_proto(&found, chosen_size, ours, kHttp11.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

void UseChain(const std::vector<Certificate>& chain, SSL_CTX& context) {
  bool is_used = !chain.empty() && SSL_CTX_use_certificate(&context, chain.front().get()) == 1;
  for (size_t i = 1; i < chain.size(); ++i) is_used = is_used && SSL_CTX_add1_chain_cert(&context, chain[i].get()) == 1;
  HAPAX_CHECK(is_used, "the certificates were tried before");
}

void DemandClientCertificates(const std::vector<Certificate>& cas, SSL_CTX& context) {
  for (const Certificate& ca : cas) {
    HAPAX_CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), ca.get()) == 1, "a store takes certificates");
    SSL_CTX_add_client_CA(&context, ca.get());
  }
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

std::string TextOf(const ASN1_STRING& text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&text)), static_cast<size_t>(ASN1_STRING_length(&text))};
}

}  // namespace

void HttpTls::Use(const TlsPems& pems) {
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  HAPAX_CHECK(context != nullptr, "OpenSSL makes a context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp11, nullptr);
  const auto chain = ParseCertificates(pems.cert_chain);
  const auto key = ParsePrivateKey(pems.private_key);
  HAPAX_CHECK(chain.ok() && key.ok(), "the files were parsed before");
  UseChain(*chain, *context);
  HAPAX_CHECK(SSL_CTX_use_PrivateKey(context.get(), key->get()) == 1, "the key was tried before");
  if (!pems.client_cas.empty()) {
    const auto cas = ParseCertificates(pems.client_cas);
    HAPAX_CHECK(cas.ok(), "the files were parsed before");
    DemandClientCertificates(*cas, *context);
  }
  const absl::MutexLock lock(&mu_);
  context_ = context;
}

std::shared_ptr<SSL_CTX> HttpTls::context() const {
  const absl::MutexLock lock(&mu_);
  return context_;
}

void NamePeer(const SSL& connection, HttpRequest& request) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(&connection), X509_free);
  if (certificate == nullptr) return;
  auto* const names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names, i);
    if (name.type == GEN_URI) request.certificate_uris.push_back(TextOf(*name.d.uniformResourceIdentifier));
  }
  GENERAL_NAMES_free(names);
  const X509_NAME* const subject = X509_get_subject_name(certificate.get());
  if (const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); first >= 0) {
    request.certificate_common_name = TextOf(*X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
  }
}

}  // namespace hapax
