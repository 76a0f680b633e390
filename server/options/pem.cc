#include "hapax/server/options/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "absl/strings/escaping.h"

namespace hapax {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio Over(const std::string& text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free}; }

// Without this, OpenSSL would ask for a passphrase on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user_data*/) { return 0; }

}  // namespace

absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& pem) {
  const Bio bio = Over(pem);
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) {
    certificates.emplace_back(certificate, X509_free);
  }
  // The reader always ends with an error: at the end of the text, that no further block begins.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return absl::InvalidArgumentError("has a certificate that is not well-formed PEM");
  if (certificates.empty()) return absl::InvalidArgumentError("has no PEM certificate");
  return certificates;
}

absl::StatusOr<PrivateKey> ParsePrivateKey(const std::string& pem) {
  PrivateKey key(PEM_read_bio_PrivateKey(Over(pem).get(), nullptr, NoPassphrase, nullptr), EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) return absl::InvalidArgumentError("has no PEM private key that opens without a passphrase");
  return key;
}

std::string FingerprintOf(const X509& certificate) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  X509_digest(&certificate, EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()), &size);
  return absl::BytesToHexString(digest.substr(0, size));
}

std::string TakeOpenSslError() {
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  std::string text = reason == nullptr ? "unknown error" : reason;
  ERR_clear_error();
  return text;
}

}  // namespace hapax
