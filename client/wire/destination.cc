#include "hapax/client/wire/destination.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace hapax::client {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Names = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

std::string TextOf(const ASN1_STRING* text) {
  if (text == nullptr) return "";
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

// A digest long enough to tell keys apart, but too short to reveal one.
std::string ShortDigest(std::string_view text) {
  const std::string salted = absl::StrCat("hapax destination ", View(text));
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  EVP_Digest(salted.data(), salted.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
             nullptr);
  return absl::BytesToHexString(digest.substr(0, 4));
}

std::string ApiKeyName(std::string_view key) {
  constexpr std::string_view kPrefix = "hapax_";
  const size_t end = key.find('_', kPrefix.size());
  if (!key.starts_with(kPrefix) || end == std::string_view::npos) return "#" + ShortDigest(key);
  const std::string_view id = key.substr(kPrefix.size(), end - kPrefix.size());
  const bool is_word =
      std::all_of(id.begin(), id.end(), [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; });
  return is_word && !id.empty() ? std::string(id) : "#" + ShortDigest(key);
}

// Returns the SPIFFE ID without its role, or else the first common name of the subject.
std::string CertificateName(std::string_view pem) {
  constexpr std::string_view kSpiffe = "spiffe://";
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      BIO_free);
  const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  ERR_clear_error();
  if (certificate == nullptr) return "#" + ShortDigest(pem);
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const std::string uri = TextOf(name->d.uniformResourceIdentifier);
    if (uri.starts_with(kSpiffe)) return uri.substr(0, uri.find("/role/"));
  }
  const X509_NAME* const subject = X509_get_subject_name(certificate.get());
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "#" + ShortDigest(pem);
  return TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

}  // namespace

bool ShareAnEndpoint(std::string_view some, std::string_view others) {
  const std::vector<absl::string_view> list = absl::StrSplit(View(others), ',');
  const std::vector<absl::string_view> endpoints = absl::StrSplit(View(some), ',');
  return std::any_of(endpoints.begin(), endpoints.end(), [&](absl::string_view one) {
    return std::any_of(list.begin(), list.end(),
                       [one](absl::string_view other) { return absl::EqualsIgnoreCase(one, other); });
  });
}

std::string Describe(const Destination& destination) {
  if (destination.caller.empty()) return destination.endpoint + " without a credential";
  return absl::StrCat(destination.endpoint, " as ", destination.caller);
}

std::string CallerNameOf(std::string_view api_key, std::string_view tenant, std::string_view certificate_pem) {
  std::vector<std::string> names;
  if (!certificate_pem.empty()) names.push_back("certificate " + CertificateName(certificate_pem));
  if (!api_key.empty()) names.push_back("API key " + ApiKeyName(api_key));
  if (!tenant.empty()) names.push_back(absl::StrCat("tenant ", View(tenant)));
  return absl::StrJoin(names, ", ");
}

}  // namespace hapax::client
