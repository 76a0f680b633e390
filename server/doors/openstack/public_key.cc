#include "hapax/server/doors/openstack/public_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <vector>

#include "absl/strings/escaping.h"

namespace hapax::openstack {
namespace {

constexpr char kKeyType[] = "ssh-rsa";

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// Without it OpenSSL would ask on the terminal for that of an encrypted key.
int NoPassword(char* /*buffer*/, int /*size*/, int /*is_new*/, void* /*user*/) { return -1; }

// A string of the SSH protocol (RFC 4251, section 5): its length in four bytes, most significant first, and its bytes.
void Append(std::string& to, std::string_view bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<char>(bytes.size() >> shift));
  to += bytes;
}

// An mpint of it: a leading zero byte keeps a number positive.
bool AppendNumber(std::string& to, const EVP_PKEY* key, const char* name) {
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &found) != 1) return false;
  const Owned<BIGNUM> number(found);
  std::vector<unsigned char> bytes(static_cast<size_t>(BN_num_bytes(number.get())) + 1);
  BN_bn2bin(number.get(), bytes.data() + 1);
  const size_t skipped = bytes.size() > 1 && (bytes[1] & 0x80) == 0 ? 1 : 0;
  Append(to, {reinterpret_cast<const char*>(bytes.data()) + skipped, bytes.size() - skipped});
  return true;
}

}  // namespace

absl::StatusOr<std::string> PublicKeyOf(std::string_view private_key) {
  const Owned<BIO> bio(BIO_new_mem_buf(private_key.data(), static_cast<int>(private_key.size())));
  const Owned<EVP_PKEY> key(bio == nullptr ? nullptr
                                           : PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  std::string blob;
  Append(blob, kKeyType);
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA ||
      !AppendNumber(blob, key.get(), OSSL_PKEY_PARAM_RSA_E) || !AppendNumber(blob, key.get(), OSSL_PKEY_PARAM_RSA_N)) {
    return absl::InternalError("a private key could not be read");
  }
  return std::string(kKeyType) + " " + absl::Base64Escape(blob);
}

}  // namespace hapax::openstack
