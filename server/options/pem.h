#ifndef HAPAX_SERVER_OPTIONS_PEM_H_
#define HAPAX_SERVER_OPTIONS_PEM_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hapax {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// All certificates of the text, in their order; at least one. INVALID_ARGUMENT when there is none, or one is not
// well-formed.
[[nodiscard]] absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& pem);

// INVALID_ARGUMENT when there is no key, or it takes a passphrase.
[[nodiscard]] absl::StatusOr<PrivateKey> ParsePrivateKey(const std::string& pem);

// SHA-256 of the certificate, in hexadecimal digits.
[[nodiscard]] std::string FingerprintOf(const X509& certificate);

// The reason of OpenSSL's first error since the queue was cleared, such as `ee key too small`; clears it.
[[nodiscard]] std::string TakeOpenSslError();

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_PEM_H_
