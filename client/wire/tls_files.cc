#include "hapax/client/wire/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/wire/connection.h"

namespace hapax::client {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio BioOf(const std::string& pem) { return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free}; }

absl::Status Wrong(const char* option, const std::string& path, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, " \"", path, "\": ", absl::string_view(what.data(), what.size())));
}

absl::StatusOr<std::string> Read(const char* option, const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file.good() || content.str().empty()) return Wrong(option, path, "cannot be read, or is empty");
  return std::move(content).str();
}

// Returns the first certificate, and checks all others: gRPC silently ignores a damaged certificate and those after it.
absl::StatusOr<Certificate> FirstCertificate(const char* option, const std::string& path, const std::string& pem) {
  const absl::Cleanup forget = [] { ERR_clear_error(); };
  const Bio bio = BioOf(pem);
  Certificate first(nullptr, X509_free);
  for (int number = 1;; ++number) {
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (next == nullptr) {
      if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        return Wrong(option, path,
                     absl::StrCat("its certificate ", number, " cannot be read; certificates in PEM are allowed"));
      }
      if (first == nullptr) return Wrong(option, path, "has no certificate; certificates in PEM are allowed");
      return first;
    }
    if (first == nullptr) first = std::move(next);
  }
}

absl::StatusOr<Key> PrivateKey(const char* option, const std::string& path, const std::string& pem) {
  const absl::Cleanup forget = [] { ERR_clear_error(); };
  bool encrypted = false;
  const auto no_password = [](char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
  };
  const Bio bio = BioOf(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &encrypted), EVP_PKEY_free);
  if (key != nullptr) return key;
  return Wrong(option, path,
               encrypted ? "is encrypted; a private key in PEM without a password is allowed"
                         : "has no private key that can be read; one in PEM is allowed");
}

absl::Status CheckOwnCertificate(const ConnectionOptions& options, const TlsFiles& files) {
  const auto certificate = FirstCertificate("tls_cert_file", options.tls_cert_file, files.certificates);
  if (!certificate.ok()) return certificate.status();
  const auto key = PrivateKey("tls_key_file", options.tls_key_file, files.key);
  if (!key.ok()) return key.status();
  const absl::Cleanup forget = [] { ERR_clear_error(); };
  if (X509_check_private_key(certificate->get(), key->get()) == 1) return absl::OkStatus();
  return Wrong(
      "tls_key_file", options.tls_key_file,
      absl::StrCat("is not the key of the first certificate in tls_cert_file \"", options.tls_cert_file, "\""));
}

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const ConnectionOptions& options) {
  if (options.tls_cert_file.empty() != options.tls_key_file.empty()) {
    return absl::InvalidArgumentError("a client certificate and its key are given together, or not at all");
  }
  TlsFiles files;
  for (const auto& [text, option, path] : {std::tuple(&files.roots, "tls_ca_file", &options.tls_ca_file),
                                           {&files.certificates, "tls_cert_file", &options.tls_cert_file},
                                           {&files.key, "tls_key_file", &options.tls_key_file}}) {
    absl::StatusOr<std::string> read = Read(option, *path);
    if (!read.ok()) return read.status();
    *text = *std::move(read);
  }
  if (!files.roots.empty()) {
    const auto root = FirstCertificate("tls_ca_file", options.tls_ca_file, files.roots);
    if (!root.ok()) return root.status();
  }
  if (!files.certificates.empty()) {
    if (absl::Status status = CheckOwnCertificate(options, files); !status.ok()) return status;
  }
  return files;
}

}  // namespace hapax::client
