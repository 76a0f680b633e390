#include "hapax/server/options/tls_files.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/guarded_file.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/options/pem.h"
#include "hapax/server/options/tls_trial.h"

namespace hapax {
namespace {

absl::Time TimeOf(const ASN1_TIME* time, absl::Time otherwise) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? absl::FromTM(parts, absl::UTCTimeZone()) : otherwise;
}

std::string SerialOf(const X509& certificate) {
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr), BN_free);
  char* const digits = BN_bn2hex(number.get());
  std::string serial = digits == nullptr ? "" : digits;
  OPENSSL_free(digits);
  return serial;
}

// If the key is not the first certificate's, the error names its certificate, since the file may begin with the issuer.
absl::Status CheckBelongs(const std::vector<Certificate>& chain, const EVP_PKEY& key, const std::string& cert_file) {
  const auto belongs = [&](const Certificate& certificate) {
    return X509_check_private_key(certificate.get(), &key) == 1;
  };
  const auto found = std::find_if(chain.begin(), chain.end(), belongs);
  ERR_clear_error();
  if (found == chain.begin()) return absl::OkStatus();
  std::string message = "is not the key of the first certificate in tls_cert_file=" + cert_file;
  if (found != chain.end()) {
    absl::StrAppend(&message, " but of certificate ", found - chain.begin() + 1, ", which must come first");
  }
  return absl::InvalidArgumentError(message);
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
  const X509& own = *chain->front();
  pems.serial = SerialOf(own);
  pems.fingerprint = FingerprintOf(own);
  pems.valid_from = TimeOf(X509_get0_notBefore(&own), absl::InfinitePast());
  pems.valid_until = TimeOf(X509_get0_notAfter(&own), absl::InfiniteFuture());

  HAPAX_ASSIGN_OR_RETURN(pems.private_key, Read("tls_key_file", files.key_file, OthersMay::kNothing));
  const auto key = ParsePrivateKey(pems.private_key);
  if (!key.ok()) return OptionError("tls_key_file", files.key_file, key.status());
  if (absl::Status belongs = CheckBelongs(*chain, **key, files.cert_file); !belongs.ok()) {
    return OptionError("tls_key_file", files.key_file, belongs);
  }

  if (!files.client_ca_file.empty()) {
    HAPAX_ASSIGN_OR_RETURN(pems.client_cas, Read("tls_client_ca_file", files.client_ca_file, OthersMay::kRead));
    const auto cas = ParseCertificates(pems.client_cas);
    if (!cas.ok()) return OptionError("tls_client_ca_file", files.client_ca_file, cas.status());
  }
  HAPAX_RETURN_IF_ERROR(TryTls(files, pems));
  return pems;
}

}  // namespace hapax
