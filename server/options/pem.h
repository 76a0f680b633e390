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

// Parses all certificates of the text, in their order; there is at least one. Errors: INVALID_ARGUMENT, there is none,
// or one is malformed.
[[nodiscard]] absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& pem);

// Errors: INVALID_ARGUMENT: there is no key, or it needs a passphrase.
[[nodiscard]] absl::StatusOr<PrivateKey> ParsePrivateKey(const std::string& pem);

// The SHA-256 of the certificate, in hexadecimal digits.
[[nodiscard]] std::string FingerprintOf(const X509& certificate);

// Returns the reason of the first error in OpenSSL's queue, such as `ee key too small`, and clears the queue.
[[nodiscard]] std::string TakeOpenSslError();

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_PEM_H_
