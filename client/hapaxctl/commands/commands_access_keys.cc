#include <openssl/rand.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hapax/base/digest.h"
#include "hapax/base/guarded_file.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/hapaxctl/v1/output.pb.h"

namespace hapax::ctl {
namespace {

using hapaxctl::v1::NewAccessKey;

constexpr size_t kMasterBytes = 32;
constexpr size_t kIdBytes = 16;
constexpr size_t kSecretBytes = 30;
constexpr char kMasterWord[] = "master ";

std::string RandomBytes(size_t size) {
  std::string random(size, '\0');
  // A key that can be guessed is worse than none.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(size)) != 1) std::abort();
  return random;
}

// 80 random bits, in AWS's own alphabet.
std::string NewId() {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string id = "HXAK";
  for (const char byte : RandomBytes(kIdBytes)) id.push_back(kAlphabet[static_cast<unsigned char>(byte) & 31U]);
  return id;
}

// The hexadecimal digits of the last master key in the file; empty if there is no such file.
absl::StatusOr<std::string> LastMaster(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadGuardedFile(path, OthersMay::kNothing);
  if (absl::IsNotFound(text.status())) return std::string();
  if (!text.ok()) return text.status();
  std::string master;
  for (absl::string_view line : absl::StrSplit(*text, absl::ByAnyChar("\r\n"))) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, kMasterWord)) master = std::string(absl::StripAsciiWhitespace(line));
  }
  const bool is_key = master.size() == 2 * kMasterBytes &&
                      absl::BytesToHexString(absl::HexStringToBytes(master)) == absl::AsciiStrToLower(master);
  if (!is_key) return absl::InvalidArgumentError(absl::StrCat(path, ": has no line \"master KEY\""));
  return master;
}

// In the format of the server's --access_keys_file, whose last master key is `master`: empty for a new one.
NewAccessKey MakeAccessKey(const std::string& tenant, const std::string& role, std::string master) {
  NewAccessKey made;
  made.set_access_key_id(NewId());
  const std::string line = absl::StrCat(tenant, " ", role, " ", made.access_key_id());
  if (master.empty()) {
    master = absl::BytesToHexString(RandomBytes(kMasterBytes));
    made.add_lines(kMasterWord + master);
  }
  made.add_lines(line);
  const Sha256Digest digest = HmacSha256(absl::HexStringToBytes(master), made.access_key_id());
  made.set_secret_access_key(
      absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest.data()), kSecretBytes)));
  return made;
}

struct AccessKeyFlags {
  std::string tenant;
  std::string role = "write";
  std::string file;
};

}  // namespace

Action BindNewAccessKey(CLI::App& verb) {
  const auto flags = std::make_shared<AccessKeyFlags>();
  const auto take_tenant = [flags](const std::string& text) {
    flags->tenant = text;
    return CheckTenant(text);
  };
  AddValue(verb, "TENANT", "", take_tenant, "Whose key it is")->required();
  AddPath(verb, "--access-keys-file", flags->file,
          "The server's --access_keys_file, from whose master key the secret is derived; it need not exist")
      ->required();
  AddChoice(
      verb, "--role", {"read", "write", "admin"}, [flags](const std::string& text) { flags->role = text; },
      "What it may do; each role includes those before it")
      ->default_str(flags->role);
  return [flags](Session& session) {
    const absl::StatusOr<std::string> master = LastMaster(flags->file);
    if (!master.ok()) return session.Fail(master.status());
    Say(absl::StrCat(session.verb(), ": give the caller id and secret, and append the lines to ", flags->file,
                     ", for its owner only; then send the server SIGHUP"));
    return session.Print(MakeAccessKey(flags->tenant, flags->role, *master));
  };
}

}  // namespace hapax::ctl
