#include "hapax/server/shared_engine.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/option_error.h"
#include "hapax/base/random_name.h"
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

absl::Status WhatToDo(const absl::Status& status, const std::string& server_id, const std::string& database) {
  if (status.ok()) return status;
  return {status.code(),
          absl::StrCat("the store has stopped for ever: ", status.message(),
                       ". Start this server again only if no other has server_id=", server_id, ", and if ", database,
                       " was neither restored nor replaced (docs/several-servers.md)")};
}

}  // namespace

std::vector<GivenOption> EtcdOptionsGiven(const ServerOptions& options) {
  const EtcdStoreOptions& etcd = options.etcd;
  return {{"etcd_endpoints", absl::StrJoin(etcd.endpoints, ",")},
          {"etcd_prefix", etcd.prefix == EtcdStoreOptions::kDefaultPrefix ? "" : etcd.prefix},
          {"etcd_ca_file", etcd.ca_file},
          {"etcd_cert_file", etcd.cert_file},
          {"etcd_key_file", etcd.key_file},
          {"etcd_credentials_file", etcd.credentials_file}};
}

std::vector<GivenOption> PostgresOptionsGiven(const ServerOptions& options) {
  const PostgresStoreOptions& postgres = options.postgres;
  return {
      {"postgres_conninfo_file", postgres.conninfo_file},
      {"postgres_schema", postgres.schema == PostgresStoreOptions::kDefaultSchema ? "" : postgres.schema},
      {"postgres_isolation", postgres.isolation == PostgresStoreOptions::kDefaultIsolation ? "" : postgres.isolation}};
}

absl::Status CheckNoneGiven(const std::vector<GivenOption>& options, absl::string_view store) {
  for (const auto& [name, value] : options) {
    if (!value.empty()) return Wrong(name, value, absl::StrCat("is of use only with store=", store));
  }
  return absl::OkStatus();
}

absl::Status CheckServerId(const ServerOptions& options) {
  if (IsServerId(options.server_id)) return absl::OkStatus();
  return Wrong("server_id", absl::CHexEscape(options.server_id),
               absl::StrCat("must be the server's own name, the same after each restart: 1 to ", kMaxIdBytes,
                            " letters, digits, \"-\", \"_\" and \".\""));
}

absl::Status CheckHasNoDirectory(const ServerOptions& options, absl::string_view where) {
  if (!options.data_dir.empty()) {
    return Wrong("data_dir", options.data_dir,
                 absl::StrCat("is of no use with store=", options.store, ": the rows are in ", where));
  }
  if (!options.backup_dir.empty()) {
    return Wrong("backup_dir", options.backup_dir,
                 absl::StrCat("is of no use with store=", options.store, ": back up ", where, " instead"));
  }
  if (!options.seal_key_file.empty()) return absl::OkStatus();
  return Wrong("seal_key_file", "",
               absl::StrCat("is required with store=", options.store, ": all servers have a copy of the same file"));
}

Engine MakeSharedEngine(const ServerOptions& options, std::unique_ptr<RemoteBackend> backend,
                        const std::string& database, const std::string& place, const std::string& where) {
  auto store = std::make_unique<RemoteStore>(
      std::move(backend),
      RemoteOptions{.slot = options.server_id, .owner = RandomName(), .max_waiting = options.max_waiting_transactions});
  const RemoteStore& remote = *store;
  return Engine{
      .store = std::move(store),
      .is_shared = true,
      .expires_rows = false,
      .status = [&remote, id = options.server_id, database] { return WhatToDo(remote.status(), id, database); },
      .health = [&remote] { return remote.health(); },
      .read_health = [&remote] { return remote.read_health(); },
      .place = absl::StrCat(place, ", as server ", options.server_id),
      .no_backups = absl::StrCat("the store ", options.store, " makes no backups: back up ", where,
                                 " (docs/several-servers.md)")};
}

}  // namespace hapax
