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

// The keys that seal replies with secrets before they are stored (C25): AES-256-GCM with a fresh random nonce for each
// reply. The keys are in a file outside the database, so a stolen data directory reveals no secret.
//
// A key file has one key a line, `<id> <64 hexadecimal digits>`. The id is 1 to 64 of a-z A-Z 0-9 . _ -. Blank lines
// and lines that begin with # are ignored. The first key seals; every key unseals. To rotate, put a new key first, and
// remove the old one once no reply that it sealed is kept.
//
// Thread-safety: immutable.
class SealKeys {
 public:
  static constexpr size_t kKeySize = 32;  // Bytes.
  struct Key {
    std::string id;
    std::array<uint8_t, kKeySize> secret;
  };

  // The text of a key file with one new key.
  [[nodiscard]] static std::string NewFile(std::string_view id);
  // Errors: INVALID_ARGUMENT with the number of the faulty line, or when there is no key.
  [[nodiscard]] static absl::StatusOr<SealKeys> Parse(std::string_view text);

  // Seals the reply and binds it to `context`, which is not secret: another context does not unseal it.
  [[nodiscard]] store::v1::SealedReply Seal(std::string_view reply, std::string_view context) const;
  // Errors: TOKEN_STORE_UNAVAILABLE when the key is not among these. DATA_LOSS when another key of that id sealed it,
  // the context differs, or it was changed.
  [[nodiscard]] absl::StatusOr<std::string> Unseal(const store::v1::SealedReply& sealed,
                                                   std::string_view context) const;

  // A key for another purpose, derived from the first key. It reveals nothing about the first key, and changes with a
  // rotation.
  [[nodiscard]] std::string Derive(std::string_view purpose) const;

  // The first key seals.
  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }

 private:
  SealKeys() = default;

  [[nodiscard]] const Key* Find(std::string_view id) const;

  std::vector<Key> keys_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_SEAL_KEYS_H_
