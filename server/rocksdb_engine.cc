#include "hapax/server/rocksdb_engine.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/store.h"

namespace hapax {
namespace {

namespace fs = std::filesystem;

absl::Status Wrong(absl::string_view option, absl::string_view value, absl::string_view allowed) {
  return OptionError(option, value, absl::InvalidArgumentError(allowed));
}

// A backup inside the data directory would be lost together with the data.
absl::Status CheckIsOutside(const std::string& backup_dir, const std::string& data_dir) {
  if (backup_dir.empty()) return absl::OkStatus();
  std::error_code error;
  const fs::path data = fs::weakly_canonical(fs::absolute(data_dir, error), error) / "";
  const fs::path backups = fs::weakly_canonical(fs::absolute(backup_dir, error), error) / "";
  if (!absl::StartsWith(backups.string(), data.string())) return absl::OkStatus();
  return Wrong("backup_dir", backup_dir, "must not be in the data directory");
}

// An option that another engine needs was probably given for that engine.
absl::Status CheckIsNotForEtcd(const ServerOptions& options) {
  const EtcdStoreOptions& etcd = options.etcd;
  const std::pair<absl::string_view, std::string> unused[] = {
      {"etcd_endpoints", absl::StrJoin(etcd.endpoints, ",")},
      {"etcd_prefix", etcd.prefix == EtcdStoreOptions::kDefaultPrefix ? "" : etcd.prefix},
      {"etcd_ca_file", etcd.ca_file},
      {"etcd_cert_file", etcd.cert_file},
      {"etcd_key_file", etcd.key_file},
      {"etcd_credentials_file", etcd.credentials_file},
      {"server_id", options.server_id},
  };
  for (const auto& [option, value] : unused) {
    if (!value.empty()) return Wrong(option, value, "is of use only with store=etcd");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRocksDbEngine(const ServerOptions& options) {
  if (options.data_dir.empty()) return Wrong("data_dir", "", "must name a directory");
  HAPAX_RETURN_IF_ERROR(CheckIsOutside(options.backup_dir, options.data_dir));
  return CheckIsNotForEtcd(options);
}

absl::StatusOr<Engine> OpenRocksDbEngine(const ServerOptions& options, const EngineParts& parts) {
  auto store = OpenRocksDbStore({.path = options.data_dir,
                                 .format_1_service = options.format_1_service,
                                 .block_cache_bytes = options.block_cache_bytes,
                                 .max_waiting = options.max_waiting_transactions,
                                 .log = [log = parts.log](std::string_view line) { log->warn("store: {}", line); },
                                 .expiry = &parts.expiry});
  if (!store.ok()) return OptionError("data_dir", options.data_dir, store.status());
  return Engine{.store = *std::move(store), .place = options.data_dir};
}

}  // namespace hapax
