#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_SEAL_KEYS_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_SEAL_KEYS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// The keys that replies with secrets are sealed with before they are stored (C25): AES-256-GCM, a fresh random
// nonce for each reply. They are kept in a file outside the database, so that a stolen data directory shows
// nothing.
//
// A key file has one key a line, `<id> <64 hexadecimal digits>`, the id being 1 to 64 of a-z A-Z 0-9 . _ -;
// blank lines and lines that begin with # do not count. The first key seals; every key unseals. To rotate,
// put a new key first, and take the old one away when no reply that it sealed is kept any more.
//
// Thread-safety: immutable.
class SealKeys {
 public:
  static constexpr size_t kKeySize = 32;  // Bytes.
  struct Key {
    std::string id;
    std::array<uint8_t, kKeySize> secret;
  };

  // The text of a file with one new key.
  [[nodiscard]] static std::string NewFile(std::string_view id);
  // Errors: INVALID_ARGUMENT with the line that is wrong, or when there is no key at all.
  [[nodiscard]] static absl::StatusOr<SealKeys> Parse(std::string_view text);

  // Binds the sealed reply to `context`, which is not secret: with another one it is not unsealed.
  [[nodiscard]] store::v1::SealedReply Seal(std::string_view reply, std::string_view context) const;
  // Errors: TOKEN_STORE_UNAVAILABLE when the key is not among these; DATA_LOSS when it was not sealed like
  // this: by another key of that id, for another context, or it was changed since.
  [[nodiscard]] absl::StatusOr<std::string> Unseal(const store::v1::SealedReply& sealed,
                                                   std::string_view context) const;

  // A key for another purpose, of the first one: it tells nothing of that, and is another one after a rotation.
  [[nodiscard]] std::string Derive(std::string_view purpose) const;

  // The first one seals.
  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }

 private:
  SealKeys() = default;

  [[nodiscard]] const Key* Find(std::string_view id) const;

  std::vector<Key> keys_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_SEAL_KEYS_H_
