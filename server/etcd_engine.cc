#include "hapax/server/etcd_engine.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/option_error.h"
#include "hapax/base/random_name.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/options/host_port.h"
#include "hapax/storage/etcd/backend.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/remote/store.h"

namespace hapax {
namespace {

constexpr size_t kMaxIdBytes = 64;

absl::Status Wrong(absl::string_view option, absl::string_view value, absl::string_view allowed) {
  return OptionError(option, value, absl::InvalidArgumentError(allowed));
}

bool IsServerId(const std::string& id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
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

// The data directory, and what lies in it or beside it, is another engine's.
absl::Status CheckHasNoDirectory(const ServerOptions& options) {
  if (!options.data_dir.empty()) {
    return Wrong("data_dir", options.data_dir, "is of no use with store=etcd: the rows are in the cluster");
  }
  if (!options.backup_dir.empty()) {
    return Wrong("backup_dir", options.backup_dir, "is of no use with store=etcd: back up the cluster instead");
  }
  if (!options.seal_key_file.empty()) return absl::OkStatus();
  return Wrong("seal_key_file", "", "is required with store=etcd: all servers have a copy of the same file");
}

// Errors about a file name its option already.
absl::Status OpenError(const std::string& endpoints, const absl::Status& error) {
  if (absl::StartsWith(error.message(), "etcd_")) return error;
  return OptionError("etcd_endpoints", endpoints, error);
}

absl::Status WhatToDo(const absl::Status& status, const std::string& server_id) {
  if (status.ok()) return status;
  return {status.code(),
          absl::StrCat("the store has stopped for ever: ", status.message(),
                       ". Start this server again only if no "
                       "other has server_id=",
                       server_id, ", and if etcd was neither restored nor replaced (docs/several-servers.md)")};
}

}  // namespace

absl::Status CheckEtcdEngine(const ServerOptions& options) {
  if (!IsServerId(options.server_id)) {
    return Wrong("server_id", absl::CHexEscape(options.server_id),
                 absl::StrCat("must be the server's own name, the same after each restart: 1 to ", kMaxIdBytes,
                              " letters, digits, \"-\", \"_\" and \".\""));
  }
  HAPAX_RETURN_IF_ERROR(CheckEndpoints(options.etcd.endpoints));
  if (!EtcdLayout::IsPrefix(options.etcd.prefix)) {
    return Wrong(
        "etcd_prefix", absl::CHexEscape(options.etcd.prefix),
        absl::StrCat("must begin with \"/\", not end with it, have only letters, digits, \"/\", \"_\", \"-\" and ",
                     "\".\", and at most ", EtcdLayout::kMaxPrefixBytes, " bytes"));
  }
  HAPAX_RETURN_IF_ERROR(CheckFiles(options.etcd));
  return CheckHasNoDirectory(options);
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
  auto store = std::make_unique<RemoteStore>(
      *std::move(backend),
      RemoteOptions{.slot = options.server_id, .owner = RandomName(), .max_waiting = options.max_waiting_transactions});
  const RemoteStore& remote = *store;
  return Engine{
      .store = std::move(store),
      .is_shared = true,
      .expires_rows = false,
      .status = [&remote, id = options.server_id] { return WhatToDo(remote.status(), id); },
      .place = absl::StrCat("etcd at ", endpoints, ", below ", etcd.prefix, ", as server ", options.server_id),
      .no_backups = "the store etcd makes no backups: back up the cluster (docs/several-servers.md)"};
}

}  // namespace hapax
