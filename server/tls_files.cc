#include "hapax/server/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "hapax/server/guarded_file.h"
#include "hapax/server/option_error.h"
#include "hapax/storage/status_macros.h"

namespace hapax {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio Over(const std::string& text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free}; }

// Else OpenSSL would ask for one on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user_data*/) { return 0; }

// All certificates of the text, in their order.
absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& text) {
  const Bio bio = Over(text);
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) {
    certificates.emplace_back(certificate, X509_free);
  }
  // The reader ends with an error in any case: that there is nothing more to begin with.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return absl::InvalidArgumentError("has a certificate that is not well-formed PEM");
  if (certificates.empty()) return absl::InvalidArgumentError("has no PEM certificate");
  return certificates;
}

absl::StatusOr<Key> ParseKey(const std::string& text) {
  Key key(PEM_read_bio_PrivateKey(Over(text).get(), nullptr, NoPassphrase, nullptr), EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) return absl::InvalidArgumentError("has no PEM private key that opens without a passphrase");
  return key;
}

absl::Time ValidUntil(const X509& certificate) {
  std::tm until{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &until) != 1) return absl::InfiniteFuture();
  return absl::FromTM(until, absl::UTCTimeZone());
}

absl::StatusOr<std::string> Read(absl::string_view option, const std::string& path, OthersMay others_may) {
  if (path.empty()) {
    return OptionError(option, path, absl::InvalidArgumentError("is required; TLS takes a certificate and its key"));
  }
  absl::StatusOr<std::string> text = ReadGuardedFile(path, others_may);
  if (!text.ok()) return OptionError(option, path, text.status());
  return text;
}

}  // namespace

absl::StatusOr<TlsPems> ReadTlsFiles(const TlsFiles& files) {
  TlsPems pems;
  HAPAX_ASSIGN_OR_RETURN(pems.cert_chain, Read("tls_cert_file", files.cert_file, OthersMay::kRead));
  const auto chain = ParseCertificates(pems.cert_chain);
  if (!chain.ok()) return OptionError("tls_cert_file", files.cert_file, chain.status());
  pems.valid_until = ValidUntil(*chain->front());

  HAPAX_ASSIGN_OR_RETURN(pems.private_key, Read("tls_key_file", files.key_file, OthersMay::kNothing));
  const auto key = ParseKey(pems.private_key);
  if (!key.ok()) return OptionError("tls_key_file", files.key_file, key.status());
  const bool belongs = X509_check_private_key(chain->front().get(), key->get()) == 1;
  ERR_clear_error();
  if (!belongs) {
    return OptionError(
        "tls_key_file", files.key_file,
        absl::InvalidArgumentError("is not the key of the first certificate in tls_cert_file=" + files.cert_file));
  }

  if (files.client_ca_file.empty()) return pems;
  HAPAX_ASSIGN_OR_RETURN(pems.client_cas, Read("tls_client_ca_file", files.client_ca_file, OthersMay::kRead));
  const auto cas = ParseCertificates(pems.client_cas);
  if (!cas.ok()) return OptionError("tls_client_ca_file", files.client_ca_file, cas.status());
  return pems;
}

}  // namespace hapax
