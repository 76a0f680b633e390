#include "hapax/base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

#include "hapax/base/check.h"

namespace hapax {

Sha256Digest Sha256(std::string_view bytes) {
  // Both are kept: fetching the algorithm and creating a context cost more than the digest of a small message.
  static EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Sha256Digest digest;
  const bool done = EVP_DigestInit_ex2(context.get(), kSha256, nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  HAPAX_CHECK(done, "SHA-256 of memory cannot fail");
  return digest;
}

Sha256Digest HmacSha256(std::string_view key, std::string_view bytes) {
  Sha256Digest digest;
  const bool done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(),
                         /*md_len=*/nullptr) != nullptr;
  HAPAX_CHECK(done, "HMAC of memory cannot fail");
  return digest;
}

}  // namespace hapax
