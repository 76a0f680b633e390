// Files of API keys: refused, or keys that let in whom they name, and nobody else.
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/base/digest.h"
#include "hapax/interceptors/access/api_keys.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax {
namespace {

constexpr char kId[] = "added-by-the-fuzzer";
constexpr char kSalt[] = "0123456789abcdef";

std::string LineOf(const std::string& key) {
  const Sha256Digest digest = Sha256(kSalt + key);
  const absl::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return absl::StrCat("\nadded write ", kId, " ", kSalt, ":", absl::BytesToHexString(bytes), "\n");
}

}  // namespace
}  // namespace hapax

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  Input input(data, size);
  const std::string key = input.String();
  const std::string text = input.Rest();
  const auto parsed = ApiKeys::Parse(text);
  HAPAX_CHECK(parsed.ok() || absl::IsInvalidArgument(parsed.status()), "a wrong file is an invalid argument");
  HAPAX_CHECK(parsed.ok() == ApiKeys::Parse("# A comment, and a blank line.\n \t\n" + text + "\n#").ok(),
              "comments and blank lines do not count");

  const std::string added = absl::StrCat("hapax_", kId, "_secret");
  const auto more = ApiKeys::Parse(text + LineOf(added));
  HAPAX_CHECK(!parsed.ok() || more.ok() || absl::StrContains(text, kId),
              "a key may be added to a file that has it not");
  if (!more.ok()) return 0;
  const Principal* owner = more->Find(added);
  HAPAX_CHECK(owner != nullptr && *owner == Principal({.tenant = "added", .role = Role::kWrite}),
              "a key is its owner's");
  HAPAX_CHECK(more->Find(added + "x") == nullptr && more->Find("") == nullptr, "another key is nobody's");
  const Principal* found = more->Find(key);
  HAPAX_CHECK(found == nullptr || IsTenantName(found->tenant), "a tenant has a tenant's name");
  return 0;
}
