#ifndef HAPAX_TESTS_SUPPORT_TEST_API_KEYS_H_
#define HAPAX_TESTS_SUPPORT_TEST_API_KEYS_H_

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "hapax/base/digest.h"
#include "hapax/interceptors/access/api_keys.h"

namespace hapax {

// The API key with this id, and its line in a key file.
inline std::string ApiKeyOf(const std::string& id) { return "hapax_" + id + "_secret-of-" + id; }
inline std::string ApiKeyLine(const std::string& tenant, const std::string& id, const std::string& role = "write") {
  const std::string salt = "0123456789abcdef";
  const Sha256Digest digest = Sha256(salt + ApiKeyOf(id));
  const std::string bytes(digest.begin(), digest.end());
  return tenant + " " + role + " " + id + " " + salt + ":" + absl::BytesToHexString(bytes) + "\n";
}

// An authenticator with the keys of this file. Requires: the file is valid.
inline std::unique_ptr<ApiKeyAuthenticator> ApiKeyAuthenticatorOf(const std::string& file) {
  return ApiKeyAuthenticator::Create([file] { return ApiKeys::Parse(file); }).value();
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_TEST_API_KEYS_H_
