#include "hapax/server/doors/ec2/access_keys.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hapax/base/digest.h"
#include "hapax/base/guarded_file.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/interceptors/role.h"

namespace hapax::ec2 {
namespace {

constexpr size_t kMasterDigits = 64;
constexpr size_t kSecretBytes = 30;
constexpr size_t kMinIdLength = 16;
constexpr size_t kMaxIdLength = 64;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); });
}

bool IsId(std::string_view id) {
  if (id.size() < kMinIdLength || id.size() > kMaxIdLength) return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isupper(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

std::string SecretOf(std::string_view master, std::string_view id) {
  const Sha256Digest digest = HmacSha256(master, id);
  return absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest.data()), kSecretBytes));
}

}  // namespace

absl::Status AccessKeys::AddLine(std::string_view line) {
  const std::vector<std::string> words =
      absl::StrSplit(absl::string_view(line.data(), line.size()), absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  if (words.empty() || words[0][0] == '#') return absl::OkStatus();
  if (words.size() == 2 && words[0] == "master") {
    if (words[1].size() != kMasterDigits || !IsHex(words[1])) {
      return absl::InvalidArgumentError("a master key has 64 hexadecimal digits");
    }
    masters_.push_back(absl::HexStringToBytes(words[1]));
    return absl::OkStatus();
  }
  if (words.size() != 3) {
    return absl::InvalidArgumentError("must be \"master KEY\" or \"TENANT ROLE ACCESS_KEY_ID\"");
  }
  if (masters_.empty()) return absl::InvalidArgumentError("there is no master key above it");
  if (!IsTenantName(words[0])) return absl::InvalidArgumentError("a tenant has 1 to 64 of a-z A-Z 0-9 . _ -");
  const std::optional<Role> role = RoleFromName(words[1]);
  if (!role.has_value()) return absl::InvalidArgumentError("the role must be read, write or admin");
  if (!IsId(words[2])) return absl::InvalidArgumentError("an access key id has 16 to 64 of A-Z and 0-9");
  const Entry entry{.principal = {.tenant = words[0], .role = *role}, .master = masters_.size() - 1};
  if (!entries_.emplace(words[2], entry).second) return absl::InvalidArgumentError("an access key id occurs twice");
  return absl::OkStatus();
}

absl::StatusOr<AccessKeys> AccessKeys::Parse(std::string_view text) {
  AccessKeys keys;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    const absl::Status added = keys.AddLine({line.data(), line.size()});
    if (!added.ok()) return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", added.message()));
  }
  if (keys.entries_.empty()) return absl::InvalidArgumentError("there is no access key");
  return keys;
}

std::optional<AccessKey> AccessKeys::Find(std::string_view id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return std::nullopt;
  return AccessKey{.principal = found->second.principal, .secret = SecretOf(masters_[found->second.master], id)};
}

absl::StatusOr<std::unique_ptr<AccessKeyRing>> AccessKeyRing::Create(Source source) {
  HAPAX_ASSIGN_OR_RETURN(AccessKeys keys, source());
  return std::unique_ptr<AccessKeyRing>(new AccessKeyRing(std::move(source), std::move(keys)));
}

absl::StatusOr<std::unique_ptr<AccessKeyRing>> AccessKeyRing::OpenFile(const std::string& path) {
  return Create([path]() -> absl::StatusOr<AccessKeys> {
    const absl::StatusOr<std::string> text = ReadGuardedFile(path, OthersMay::kNothing);
    if (!text.ok()) return OptionError("access_keys_file", path, text.status());
    absl::StatusOr<AccessKeys> keys = AccessKeys::Parse(*text);
    if (!keys.ok()) return OptionError("access_keys_file", path, keys.status());
    return keys;
  });
}

std::optional<AccessKey> AccessKeyRing::Find(std::string_view id) const {
  const absl::ReaderMutexLock lock(&mu_);
  return keys_.Find(id);
}

absl::Status AccessKeyRing::Reload() {
  HAPAX_ASSIGN_OR_RETURN(AccessKeys keys, source_());
  const absl::MutexLock lock(&mu_);
  keys_ = std::move(keys);
  return absl::OkStatus();
}

}  // namespace hapax::ec2
