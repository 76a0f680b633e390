#include "hapax/storage/etcd/access.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hapax/base/guarded_file.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

absl::Status Wrong(absl::string_view option, const std::string& path, absl::string_view error) {
  return OptionError(option, path, absl::InvalidArgumentError(error));
}

absl::StatusOr<std::string> Read(absl::string_view option, const std::string& path, OthersMay others_may) {
  absl::StatusOr<std::string> text = ReadGuardedFile(path, others_may);
  if (!text.ok()) return OptionError(option, path, text.status());
  return text;
}

absl::StatusOr<std::string> ReadPem(absl::string_view option, const std::string& path, OthersMay others_may,
                                    absl::string_view kind) {
  HAPAX_ASSIGN_OR_RETURN(std::string text, Read(option, path, others_may));
  if (!absl::StrContains(text, kind)) return Wrong(option, path, absl::StrCat("has no PEM block with ", kind));
  return text;
}

// gRPC ends the process when other bytes are sent as metadata; a message of etcd's must be UTF-8.
bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

absl::Status ReadCredentials(const std::string& path, EtcdAccess& access) {
  constexpr absl::string_view kOption = "etcd_credentials_file";
  HAPAX_ASSIGN_OR_RETURN(const std::string text, Read(kOption, path, OthersMay::kNothing));
  const std::string line(absl::StripSuffix(absl::StripSuffix(text, "\n"), "\r"));
  const size_t colon = line.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == line.size() || !IsPrintable(line)) {
    return Wrong(kOption, path, "must be one line of ASCII characters, user:password");
  }
  access.user = line.substr(0, colon);
  access.password = line.substr(colon + 1);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EtcdAccess> ReadEtcdAccess(const EtcdAccessFiles& files) {
  EtcdAccess access;
  if (files.cert_file.empty() != files.key_file.empty()) {
    return absl::InvalidArgumentError("etcd_cert_file and etcd_key_file are given both or not at all");
  }
  if (!files.cert_file.empty() && files.ca_file.empty()) {
    return absl::InvalidArgumentError("etcd_cert_file requires etcd_ca_file, the CAs of the members' certificates");
  }
  if (!files.ca_file.empty()) {
    access.tls = true;
    HAPAX_ASSIGN_OR_RETURN(access.roots, ReadPem("etcd_ca_file", files.ca_file, OthersMay::kRead, "BEGIN CERTIFICATE"));
  }
  if (!files.cert_file.empty()) {
    HAPAX_ASSIGN_OR_RETURN(access.certificates,
                           ReadPem("etcd_cert_file", files.cert_file, OthersMay::kRead, "BEGIN CERTIFICATE"));
    HAPAX_ASSIGN_OR_RETURN(access.key, ReadPem("etcd_key_file", files.key_file, OthersMay::kNothing, "PRIVATE KEY"));
  }
  if (!files.credentials_file.empty()) HAPAX_RETURN_IF_ERROR(ReadCredentials(files.credentials_file, access));
  return access;
}

}  // namespace hapax
