// Files of seal keys: refused, or keys that unseal what they sealed, and nothing else.
#include <string>

#include "hapax/base/check.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  const std::string text = Input(data, size).Rest();
  const absl::StatusOr<SealKeys> keys = SealKeys::Parse(text);
  const absl::StatusOr<SealKeys> commented = SealKeys::Parse("# A comment, and a blank line.\n \t\n" + text + "\n#");
  HAPAX_CHECK(keys.ok() == commented.ok(), "comments and blank lines do not count");
  if (!keys.ok()) {
    HAPAX_CHECK(absl::IsInvalidArgument(keys.status()), "a wrong file is an invalid argument");
    return 0;
  }
  HAPAX_CHECK(!keys->keys().empty() && commented->keys().size() == keys->keys().size(), "a file has its keys");

  store::v1::SealedReply sealed = keys->Seal(text, "context");
  HAPAX_CHECK(sealed.key_id() == keys->keys().front().id, "the first key seals");
  HAPAX_CHECK(keys->Unseal(sealed, "context").value() == text, "what was sealed is unsealed");
  HAPAX_CHECK(commented->Unseal(sealed, "context").value() == text, "with the same keys, however they are written");
  HAPAX_CHECK(absl::IsDataLoss(keys->Unseal(sealed, "another").status()), "but for its context alone");
  sealed.mutable_ciphertext()->front() ^= 1;
  HAPAX_CHECK(absl::IsDataLoss(keys->Unseal(sealed, "context").status()), "and not when it was changed");
  return 0;
}
