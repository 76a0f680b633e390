#include "hapax/server/etcd_engine.h"

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/options/host_port.h"
#include "hapax/server/shared_engine.h"
#include "hapax/storage/etcd/backend.h"
#include "hapax/storage/etcd/layout.h"

namespace hapax {
namespace {

constexpr char kDatabase[] = "the cluster";

absl::Status Wrong(absl::string_view option, absl::string_view value, absl::string_view allowed) {
  return OptionError(option, value, absl::InvalidArgumentError(allowed));
}

absl::Status CheckEndpoints(const std::vector<std::string>& endpoints) {
  constexpr absl::string_view kOption = "etcd_endpoints";
  if (endpoints.empty()) return Wrong(kOption, "", "must name the members of the cluster, such as 10.0.0.1:2379");
  for (const std::string& endpoint : endpoints) {
    HAPAX_ASSIGN_OR_RETURN(const HostPort parsed, HostPort::Parse(kOption, endpoint));
    if (parsed.port == 0) return Wrong(kOption, endpoint, "must be HOST:PORT, with a port from 1 to 65535");
  }
  return absl::OkStatus();
}

absl::Status CheckFiles(const EtcdStoreOptions& etcd) {
  if (etcd.cert_file.empty() != etcd.key_file.empty()) {
    return etcd.cert_file.empty() ? Wrong("etcd_cert_file", "", "is required with etcd_key_file")
                                  : Wrong("etcd_key_file", "", "is required with etcd_cert_file");
  }
  if (etcd.cert_file.empty() || !etcd.ca_file.empty()) return absl::OkStatus();
  return Wrong("etcd_ca_file", "", "is required with etcd_cert_file");
}

// Errors about a file name its option already.
absl::Status OpenError(const std::string& endpoints, const absl::Status& error) {
  if (absl::StartsWith(error.message(), "etcd_")) return error;
  return OptionError("etcd_endpoints", endpoints, error);
}

}  // namespace

absl::Status CheckEtcdEngine(const ServerOptions& options) {
  HAPAX_RETURN_IF_ERROR(CheckServerId(options));
  HAPAX_RETURN_IF_ERROR(CheckEndpoints(options.etcd.endpoints));
  if (!EtcdLayout::IsPrefix(options.etcd.prefix)) {
    return Wrong(
        "etcd_prefix", absl::CHexEscape(options.etcd.prefix),
        absl::StrCat("must begin with \"/\", not end with it, have only letters, digits, \"/\", \"_\", \"-\" and ",
                     "\".\", and at most ", EtcdLayout::kMaxPrefixBytes, " bytes"));
  }
  HAPAX_RETURN_IF_ERROR(CheckFiles(options.etcd));
  HAPAX_RETURN_IF_ERROR(CheckNoneGiven(PostgresOptionsGiven(options), "postgres"));
  return CheckHasNoDirectory(options, kDatabase);
}

absl::StatusOr<Engine> OpenEtcdEngine(const ServerOptions& options, const EngineParts& parts) {
  const EtcdStoreOptions& etcd = options.etcd;
  const std::string endpoints = absl::StrJoin(etcd.endpoints, ",");
  auto backend = OpenEtcdBackend({.endpoints = etcd.endpoints,
                                  .files = {.ca_file = etcd.ca_file,
                                            .cert_file = etcd.cert_file,
                                            .key_file = etcd.key_file,
                                            .credentials_file = etcd.credentials_file}},
                                 etcd.prefix);
  if (!backend.ok()) return OpenError(endpoints, backend.status());
  if (etcd.ca_file.empty()) {
    parts.log->warn("rows travel unencrypted to etcd at {}: give --etcd_ca_file unless nobody else is on the way",
                    endpoints);
  }
  return MakeSharedEngine(options, *std::move(backend), "etcd",
                          absl::StrCat("etcd at ", endpoints, ", below ", etcd.prefix), kDatabase);
}

}  // namespace hapax
