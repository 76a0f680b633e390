#include "hapax/interceptors/idempotency/seal_keys.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hapax/base/check.h"
#include "hapax/base/digest.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

// NIST SP 800-38D: with random nonces of 96 bits, a key may seal 2^32 replies.
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
constexpr size_t kMaxIdLength = 64;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  HAPAX_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) == 1,
              "the system has a random generator");
  return bytes;
}

const unsigned char* Bytes(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* Bytes(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

bool IsId(absl::string_view id) {
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; };
  return !id.empty() && id.size() <= kMaxIdLength && std::all_of(id.begin(), id.end(), allowed);
}

absl::StatusOr<SealKeys::Key> ParseLine(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  const bool two_words = words.size() == 2 && IsId(words[0]) && words[1].size() == 2 * SealKeys::kKeySize;
  if (!two_words || !std::all_of(words[1].begin(), words[1].end(), absl::ascii_isxdigit)) {
    return absl::InvalidArgumentError("must be \"<id> <64 hexadecimal digits>\", the id 1 to 64 of a-z A-Z 0-9 . _ -");
  }
  SealKeys::Key key{.id = std::string(words[0])};
  const std::string secret = absl::HexStringToBytes(words[1]);
  std::copy(secret.begin(), secret.end(), key.secret.begin());
  return key;
}

}  // namespace

std::string SealKeys::NewFile(std::string_view id) {
  return absl::StrCat(
      "# Keys that Hapax seals replies with: <id> <64 hexadecimal digits>. The first one seals, all unseal.\n"
      "# Keep a copy elsewhere than with the data: without its key a sealed reply cannot be read.\n",
      absl::string_view(id.data(), id.size()), " ", absl::BytesToHexString(RandomBytes(kKeySize)), "\n");
}

absl::StatusOr<SealKeys> SealKeys::Parse(std::string_view text) {
  SealKeys parsed;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    absl::StatusOr<Key> key = ParseLine(line);
    if (key.ok() && parsed.Find(key->id) != nullptr)
      key = absl::InvalidArgumentError("has an id that is already taken");
    if (!key.ok()) return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", key.status().message()));
    parsed.keys_.push_back(*std::move(key));
  }
  if (parsed.keys_.empty()) return absl::InvalidArgumentError("has no key; at least one is required");
  return parsed;
}

store::v1::SealedReply SealKeys::Seal(std::string_view reply, std::string_view context) const {
  const Key& key = keys_.front();
  store::v1::SealedReply sealed;
  sealed.set_key_id(key.id);
  sealed.set_nonce(RandomBytes(kNonceSize));
  std::string& ciphertext = *sealed.mutable_ciphertext();
  ciphertext.resize(reply.size() + kTagSize);
  int size = 0;
  const CipherContext cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const bool done =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.secret.data(), Bytes(sealed.nonce())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(context), static_cast<int>(context.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), Bytes(ciphertext), &size, Bytes(reply), static_cast<int>(reply.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), Bytes(ciphertext) + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, Bytes(ciphertext) + reply.size()) == 1;
  HAPAX_CHECK(done, "AES-GCM of memory cannot fail");
  return sealed;
}

absl::StatusOr<std::string> SealKeys::Unseal(const store::v1::SealedReply& sealed, std::string_view context) const {
  const Key* key = Find(sealed.key_id());
  if (key == nullptr) {
    return StoreError(
        Refuse(Reason::kTokenStoreUnavailable,
               "the stored reply is sealed with key \"" + sealed.key_id() + "\", which the server does not have"));
  }
  const auto damaged = [] { return StoreError(absl::DataLossError("a sealed reply cannot be unsealed")); };
  if (sealed.nonce().size() != kNonceSize || sealed.ciphertext().size() < kTagSize) return damaged();
  const size_t reply_size = sealed.ciphertext().size() - kTagSize;
  std::string tag = sealed.ciphertext().substr(reply_size);
  std::string reply(reply_size, '\0');
  int size = 0;
  const CipherContext cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const bool done =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key->secret.data(), Bytes(sealed.nonce())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), Bytes(reply), &size, Bytes(sealed.ciphertext()), static_cast<int>(reply_size)) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, Bytes(tag)) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), Bytes(reply) + size, &size) == 1;
  if (!done) return damaged();
  return reply;
}

std::string SealKeys::Derive(std::string_view purpose) const {
  const Key& key = keys_.front();
  const std::string_view secret(reinterpret_cast<const char*>(key.secret.data()), key.secret.size());
  const Sha256Digest derived = HmacSha256(secret, purpose);
  return {derived.begin(), derived.end()};
}

const SealKeys::Key* SealKeys::Find(std::string_view id) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.id == id; });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace hapax
