#ifndef HAPAX_TESTS_SUPPORT_CERTIFICATES_H_
#define HAPAX_TESTS_SUPPORT_CERTIFICATES_H_

#include <openssl/types.h>

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hapax {

// A certificate and its key, made for a test.
struct MadeCertificate {
  std::string cert;  // PEM.
  std::string key;   // PEM, without a passphrase.
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> pkey;
};

struct CertificateOptions {
  std::string common_name = "test";  // Of the subject.
  std::string names;                 // subjectAltName, as openssl writes it.
  std::string curve = "P-256";       // Of an EC key; empty for RSA, `ED25519` for that.
  int rsa_bits = 2048;
  bool is_ca = false;
  const char* digest = "SHA256";  // Of the signature.
  absl::Time not_before = absl::Now() - absl::Hours(1);
  absl::Time not_after = absl::Now() + absl::Hours(24);
};

// Signed by `issuer`; by its own key when that is null.
[[nodiscard]] MadeCertificate MakeCertificate(const CertificateOptions& options = {},
                                              const MadeCertificate* issuer = nullptr);

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_CERTIFICATES_H_
