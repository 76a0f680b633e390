#ifndef HAPAX_TESTS_SUPPORT_CERTIFICATES_H_
#define HAPAX_TESTS_SUPPORT_CERTIFICATES_H_

#include <openssl/types.h>

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hapax {

// A certificate and its key.
struct MadeCertificate {
  std::string cert;  // PEM.
  std::string key;   // PEM, without a passphrase.
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> pkey;
};

struct CertificateOptions {
  std::string common_name = "test";  // The subject's.
  std::string names;                 // subjectAltName, in openssl's notation.
  std::string curve = "P-256";       // Of an EC key; empty for RSA, `ED25519` for such a key.
  int rsa_bits = 2048;
  bool is_ca = false;
  const char* digest = "SHA256";  // Of the signature.
  absl::Time not_before = absl::Now() - absl::Hours(1);
  absl::Time not_after = absl::Now() + absl::Hours(24);
};

// Makes a certificate signed by `issuer`, or by its own key when that is null.
[[nodiscard]] MadeCertificate MakeCertificate(const CertificateOptions& options = {},
                                              const MadeCertificate* issuer = nullptr);

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_CERTIFICATES_H_
