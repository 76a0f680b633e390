#include "hapax/tests/support/certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>

namespace hapax {
namespace {

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

template <typename Write>
std::string Pem(Write write) {
  BIO* const bio = BIO_new(BIO_s_mem());
  Check(write(bio) == 1, "memory can be written to");
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &text));
  std::string pem(text, size);
  BIO_free(bio);
  return pem;
}

EVP_PKEY* MakeKey(const CertificateOptions& options) {
  if (options.curve.empty()) return EVP_RSA_gen(static_cast<unsigned>(options.rsa_bits));
  if (options.curve == "ED25519") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return EVP_EC_gen(options.curve.c_str());
}

void SetTime(ASN1_TIME* field, absl::Time time) { ASN1_TIME_set(field, absl::ToTimeT(time)); }

void AddExtension(X509& x509, int nid, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  Check(extension != nullptr, "the extension is well-formed");
  X509_add_ext(&x509, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

MadeCertificate MakeCertificate(const CertificateOptions& options, const MadeCertificate* issuer) {
  MadeCertificate made;
  made.pkey.reset(MakeKey(options), EVP_PKEY_free);
  Check(made.pkey != nullptr, "the key can be made");
  made.x509.reset(X509_new(), X509_free);
  X509& x509 = *made.x509;
  X509_set_version(&x509, X509_VERSION_3);
  uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(&x509), serial >> 1);
  SetTime(X509_getm_notBefore(&x509), options.not_before);
  SetTime(X509_getm_notAfter(&x509), options.not_after);
  X509_NAME* const subject = X509_get_subject_name(&x509);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(&x509, issuer == nullptr ? subject : X509_get_subject_name(issuer->x509.get()));
  X509_set_pubkey(&x509, made.pkey.get());
  AddExtension(x509, NID_basic_constraints, options.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!options.names.empty()) AddExtension(x509, NID_subject_alt_name, options.names);
  EVP_PKEY* const signer = issuer == nullptr ? made.pkey.get() : issuer->pkey.get();
  const EVP_MD* const digest =
      EVP_PKEY_get_id(signer) == EVP_PKEY_ED25519 ? nullptr : EVP_get_digestbyname(options.digest);
  Check(X509_sign(&x509, signer, digest) > 0, "the certificate can be signed");
  made.cert = Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, &x509); });
  made.key = Pem(
      [&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, made.pkey.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return made;
}

}  // namespace hapax
