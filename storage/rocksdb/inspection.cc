#include "hapax/storage/rocksdb/inspection.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/database.h"
#include "hapax/storage/rocksdb/log.h"
#include "hapax/storage/rocksdb/synced_names.h"
#include "hapax/storage/rocksdb/transaction.h"

namespace hapax {
namespace {

// One environment for all inspections, since it must outlive their databases.
rocksdb::Env* SyncedEnv() {
  static rocksdb::Env* const env = WithSyncedNames(*rocksdb::Env::Default()).release();
  return env;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Inspection>> Inspection::Open(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::path(path) / "CURRENT", error)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a data directory"));
  }
  rocksdb::Options options;
  options.env = SyncedEnv();
  options.info_log = ForwardRocksDbLog(nullptr);
  // Like the server, so that both refuse the same directories.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.disable_auto_compactions = true;
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                         Database::Open({.path = path, .options = options, .may_create = false, .may_upgrade = false}));
  return std::unique_ptr<Inspection>(new Inspection(std::move(database)));
}

Inspection::Inspection(std::unique_ptr<Database> database) : database_(std::move(database)) {}

Inspection::~Inspection() = default;

absl::Status Inspection::Scan(Table table, const KeyRange& range, Visitor visit) const {
  return RocksDbTransaction(*database_, /*snapshot=*/nullptr, /*layers=*/{}).Scan(table, range, visit);
}

absl::StatusOr<std::optional<std::string>> Inspection::Get(Table table, std::string_view key) const {
  return database_->Get(table, key, /*snapshot=*/nullptr);
}

absl::Status Inspection::Drop(Table table, const std::string& key) {
  Overlay writes;
  writes.Write(table, key, std::nullopt);
  return database_->WriteDurably(writes);
}

}  // namespace hapax
