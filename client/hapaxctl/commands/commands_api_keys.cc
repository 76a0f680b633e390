#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/hapaxctl/v1/output.pb.h"

namespace hapax::ctl {
namespace {

using hapaxctl::v1::NewApiKey;

constexpr size_t kIdBytes = 8;
constexpr size_t kSecretBytes = 32;
constexpr size_t kSaltBytes = 16;

std::string RandomHex(size_t bytes) {
  std::string random(bytes, '\0');
  // A key that can be guessed is worse than none.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(bytes)) != 1) std::abort();
  return absl::BytesToHexString(random);
}

std::string HexOfSha256(const std::string& text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(),
                 nullptr) != 1) {
    std::abort();  // SHA-256 of memory cannot fail.
  }
  return absl::BytesToHexString(digest.substr(0, size));
}

// In the format of the server's --api_keys_file: see hapaxd --helpfull.
NewApiKey MakeApiKey(const std::string& tenant, const std::string& role) {
  const std::string id = RandomHex(kIdBytes);
  const std::string salt = RandomHex(kSaltBytes);
  NewApiKey made;
  made.set_api_key(absl::StrCat("hapax_", id, "_", RandomHex(kSecretBytes)));
  made.set_line(absl::StrCat(tenant, " ", role, " ", id, " ", salt, ":", HexOfSha256(salt + made.api_key())));
  return made;
}

}  // namespace

Action BindNewApiKey(CLI::App& verb) {
  const auto tenant = std::make_shared<std::string>();
  const auto role = std::make_shared<std::string>("write");
  const auto take_tenant = [tenant](const std::string& text) {
    *tenant = text;
    return CheckTenant(text);
  };
  AddValue(verb, "TENANT", "", take_tenant, "Whose key it is")->required();
  AddChoice(
      verb, "--role", {"read", "write", "admin"}, [role](const std::string& text) { *role = text; },
      "What it may do; each role includes those before it")
      ->default_str(*role);
  return [tenant, role](Session& session) {
    Say(absl::StrCat(session.verb(),
                     ": give the caller the key, which is nowhere else, and append the line to the "
                     "server's --api_keys_file; then send the server SIGHUP"));
    return session.Print(MakeApiKey(*tenant, *role));
  };
}

}  // namespace hapax::ctl
