#include "hapax/server/compute/key_pairs/key_material.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "hapax/base/digest.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"

namespace hapax::compute {
namespace {

constexpr int kRsaBits = 2048;
constexpr size_t kEd25519KeySize = 32;
constexpr size_t kPemLineLength = 70;
constexpr size_t kOpenSshBlockSize = 8;  // That of cipher "none".

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BignumPtr = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

// An internal error; clients get no details.
absl::Status OpenSslError(std::string_view what) {
  return ToRefusal(absl::InternalError("OpenSSL: " + std::string(what)));
}

// The data types of RFC 4251, section 5.
void AppendUint32(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

void AppendString(std::string_view value, std::string* out) {
  AppendUint32(static_cast<uint32_t>(value.size()), out);
  out->append(value);
}

absl::Status AppendMpint(EVP_PKEY* key, const char* parameter, std::string* out) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &raw) != 1) return OpenSslError("reading a number of the key");
  const BignumPtr number(raw, BN_free);
  std::string bytes(static_cast<size_t>(BN_num_bytes(raw)), '\0');
  BN_bn2bin(raw, reinterpret_cast<unsigned char*>(bytes.data()));
  // A zero byte precedes a positive number whose highest bit is set.
  if (!bytes.empty() && (bytes.front() & 0x80) != 0) bytes.insert(bytes.begin(), '\0');
  AppendString(bytes, out);
  return absl::OkStatus();
}

std::string Base64(std::string_view bytes) { return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size())); }

KeyMaterial WithPublicHalf(std::string_view type, std::string_view public_blob, std::string private_key) {
  const Sha256Digest digest = Sha256(public_blob);
  std::string fingerprint = Base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
  while (!fingerprint.empty() && fingerprint.back() == '=') fingerprint.pop_back();
  return {.private_key = std::move(private_key),
          .public_key = std::string(type) + " " + Base64(public_blob),
          .fingerprint = "SHA256:" + fingerprint};
}

// OpenSSH's PROTOCOL.key, with one key and no encryption.
absl::StatusOr<std::string> OpenSshPrivateKey(std::string_view type, std::string_view public_blob,
                                              std::string_view public_key, std::string_view seed) {
  std::array<unsigned char, sizeof(uint32_t)> check;
  if (RAND_bytes(check.data(), check.size()) != 1) return OpenSslError("drawing random bytes");
  std::string secret;
  for (int i = 0; i < 2; ++i) secret.append(reinterpret_cast<const char*>(check.data()), check.size());
  AppendString(type, &secret);
  AppendString(public_key, &secret);
  AppendString(std::string(seed) + std::string(public_key), &secret);
  AppendString("", &secret);  // The comment.
  for (char padding = 1; secret.size() % kOpenSshBlockSize != 0; ++padding) secret.push_back(padding);

  std::string blob("openssh-key-v1\0", 15);
  AppendString("none", &blob);  // Cipher.
  AppendString("none", &blob);  // Key derivation, and its options.
  AppendString("", &blob);
  AppendUint32(1, &blob);
  AppendString(public_blob, &blob);
  AppendString(secret, &blob);

  std::string pem = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  const std::string encoded = Base64(blob);
  for (size_t i = 0; i < encoded.size(); i += kPemLineLength) pem += encoded.substr(i, kPemLineLength) + "\n";
  return pem + "-----END OPENSSH PRIVATE KEY-----\n";
}

absl::StatusOr<KeyMaterial> GenerateEd25519() {
  constexpr std::string_view kType = "ssh-ed25519";
  const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  std::string public_key(kEd25519KeySize, '\0');
  std::string seed(kEd25519KeySize, '\0');
  size_t public_size = public_key.size();
  size_t seed_size = seed.size();
  const bool made =
      key != nullptr &&
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(public_key.data()), &public_size) == 1 &&
      EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(seed.data()), &seed_size) == 1;
  if (!made) return OpenSslError("making an Ed25519 key");

  std::string public_blob;  // RFC 8709, section 4.
  AppendString(kType, &public_blob);
  AppendString(public_key, &public_blob);
  HAPAX_ASSIGN_OR_RETURN(std::string private_key, OpenSshPrivateKey(kType, public_blob, public_key, seed));
  return WithPublicHalf(kType, public_blob, std::move(private_key));
}

absl::StatusOr<KeyMaterial> GenerateRsa() {
  constexpr std::string_view kType = "ssh-rsa";
  const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(kRsaBits)), EVP_PKEY_free);
  if (key == nullptr) return OpenSslError("making an RSA key");
  std::string public_blob;  // RFC 4253, section 6.6.
  AppendString(kType, &public_blob);
  HAPAX_RETURN_IF_ERROR(AppendMpint(key.get(), OSSL_PKEY_PARAM_RSA_E, &public_blob));
  HAPAX_RETURN_IF_ERROR(AppendMpint(key.get(), OSSL_PKEY_PARAM_RSA_N, &public_blob));

  const BioPtr pem(BIO_new(BIO_s_secmem()), BIO_free);
  if (pem == nullptr ||
      PEM_write_bio_PrivateKey_traditional(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return OpenSslError("writing an RSA key");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(pem.get(), &text);
  return WithPublicHalf(kType, public_blob, std::string(text, static_cast<size_t>(size)));
}

}  // namespace

absl::StatusOr<KeyMaterial> GenerateKey(v1::KeyType type) {
  return type == v1::KEY_TYPE_RSA ? GenerateRsa() : GenerateEd25519();
}

}  // namespace hapax::compute
