#include "hapax/server/rocksdb_engine.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/shared_engine.h"
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
absl::Status CheckIsNotForOthers(const ServerOptions& options) {
  HAPAX_RETURN_IF_ERROR(CheckNoneGiven(EtcdOptionsGiven(options), "etcd"));
  HAPAX_RETURN_IF_ERROR(CheckNoneGiven(PostgresOptionsGiven(options), "postgres"));
  return CheckNoneGiven({{"server_id", options.server_id}}, "etcd or store=postgres");
}

}  // namespace

absl::Status CheckRocksDbEngine(const ServerOptions& options) {
  if (options.data_dir.empty()) return Wrong("data_dir", "", "must name a directory");
  HAPAX_RETURN_IF_ERROR(CheckIsOutside(options.backup_dir, options.data_dir));
  return CheckIsNotForOthers(options);
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
