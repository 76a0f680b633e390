#include "hapax/storage/rocksdb/backup.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/data_directory.h"
#include "hapax/storage/rocksdb/database.h"
#include "rocksdb/env.h"
#include "rocksdb/utilities/backup_engine.h"

namespace hapax {
namespace {

namespace fs = std::filesystem;

// How many bytes are copied, in pieces as RocksDB reads them, between two checks whether to go on.
constexpr uint64_t kStepBytes = uint64_t{256} << 10;

Backup FromInfo(const rocksdb::BackupInfo& info) {
  return {.id = info.backup_id, .created = absl::FromUnixSeconds(info.timestamp), .size_bytes = info.size};
}

absl::StatusOr<std::unique_ptr<rocksdb::BackupEngine>> OpenForWriting(Database& database,
                                                                      const std::string& backup_dir) {
  HAPAX_RETURN_IF_ERROR(MakeDirectory(backup_dir));
  rocksdb::BackupEngineOptions options(backup_dir);
  options.callback_trigger_interval_size = kStepBytes;
  rocksdb::BackupEngine* engine = nullptr;
  const rocksdb::IOStatus status = rocksdb::BackupEngine::Open(options, database.db().GetEnv(), &engine);
  HAPAX_RETURN_IF_ERROR(FromRocksDb(status));
  return std::unique_ptr<rocksdb::BackupEngine>(engine);
}

// Returns null when the directory does not exist, or never contained a backup.
absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> OpenForReading(const std::string& backup_dir) {
  std::error_code error;
  if (!fs::exists(fs::path(backup_dir) / "meta", error) && !error) {
    return std::unique_ptr<rocksdb::BackupEngineReadOnly>();
  }
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const rocksdb::IOStatus status =
      rocksdb::BackupEngineReadOnly::Open(rocksdb::BackupEngineOptions(backup_dir), rocksdb::Env::Default(), &engine);
  HAPAX_RETURN_IF_ERROR(FromRocksDb(status));
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

BackupList ListOf(const rocksdb::BackupEngineReadOnly& engine) {
  std::vector<rocksdb::BackupInfo> infos;
  engine.GetBackupInfo(&infos);
  BackupList list;
  for (const rocksdb::BackupInfo& info : infos) list.backups.push_back(FromInfo(info));
  engine.GetCorruptedBackups(&list.damaged_ids);
  return list;
}

absl::Status Damaged(const std::string& backup_dir, uint32_t id, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("backup ", id, " in ", backup_dir, " is damaged: ", why));
}

absl::StatusOr<Backup> Choose(const rocksdb::BackupEngineReadOnly& engine, const std::string& backup_dir,
                              std::optional<uint32_t> id) {
  const BackupList list = ListOf(engine);
  for (const uint32_t damaged : list.damaged_ids) {
    // An older backup must not be taken for the latest silently.
    const bool is_latest = list.backups.empty() || damaged > list.backups.back().id;
    if (id.has_value() ? damaged == *id : is_latest) {
      return Damaged(backup_dir, damaged, "a file of it is missing");
    }
  }
  if (list.backups.empty()) return absl::NotFoundError(absl::StrCat(backup_dir, " has no backup"));
  if (!id.has_value()) return list.backups.back();
  for (const Backup& backup : list.backups) {
    if (backup.id == *id) return backup;
  }
  return absl::NotFoundError(absl::StrCat(backup_dir, " has no backup ", *id));
}

absl::Status CheckIsFree(const std::string& data_dir) {
  std::error_code error;
  if (!fs::exists(data_dir, error) || (fs::is_directory(data_dir, error) && fs::is_empty(data_dir, error))) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(data_dir, " is in use, or is not empty: restore into a new directory"));
}

// Makes a new directory, which a failed restore may remove again.
absl::Status MakeAnew(const std::string& directory, Unfinished unfinished) {
  if (unfinished == Unfinished::kRemove) {
    std::error_code error;
    fs::remove_all(directory, error);
    if (error) return absl::UnavailableError(absl::StrCat("cannot remove ", directory, ": ", error.message()));
  }
  if (::mkdir(directory.c_str(), S_IRWXU) == 0) return absl::OkStatus();
  if (errno != EEXIST) {
    return absl::PermissionDeniedError(absl::StrCat("cannot create ", directory, ": ", std::strerror(errno)));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(directory,
                   " exists: another restore may be under way, or was cut short; if it is of no use, restore "
                   "with --remove-unfinished, which deletes it"));
}

absl::Status SyncAll(const std::string& directory) {
  for (const fs::directory_entry& file : fs::directory_iterator(directory)) HAPAX_RETURN_IF_ERROR(Sync(file.path()));
  return Sync(directory);
}

}  // namespace

absl::StatusOr<Backup> CreateBackup(Database& database, const std::string& backup_dir,
                                    const std::atomic<bool>& cancelled) {
  HAPAX_ASSIGN_OR_RETURN(const auto engine, OpenForWriting(database, backup_dir));
  const auto must_stop = [&] { return cancelled || database.failed(); };
  rocksdb::CreateBackupOptions options;
  // The backup gives up a failed database, so that it can be reopened.
  options.progress_callback = [&] {
    if (must_stop()) engine->StopBackup();
  };
  rocksdb::BackupID id = 0;
  // The backup includes the logs, so nothing is flushed and calls are not delayed.
  const rocksdb::IOStatus status = engine->CreateNewBackup(options, &database.db(), &id);
  if (cancelled) {
    if (status.ok()) engine->DeleteBackup(id).PermitUncheckedError();
    return absl::CancelledError("the backup was cancelled");
  }
  HAPAX_RETURN_IF_ERROR(FromRocksDb(status));
  if (database.failed()) {
    // Its logs may hold a failed write that was not acknowledged.
    engine->DeleteBackup(id).PermitUncheckedError();
    return absl::UnavailableError("a write to the database failed meanwhile");
  }
  rocksdb::BackupInfo info;
  HAPAX_RETURN_IF_ERROR(FromRocksDb(engine->GetBackupInfo(id, &info)));
  return FromInfo(info);
}

absl::StatusOr<BackupList> ListBackups(const std::string& backup_dir) {
  HAPAX_ASSIGN_OR_RETURN(const auto engine, OpenForReading(backup_dir));
  return engine == nullptr ? BackupList() : ListOf(*engine);
}

absl::StatusOr<Backup> RestoreBackup(const std::string& backup_dir, const std::string& data_dir,
                                     std::optional<uint32_t> id, Unfinished unfinished) {
  HAPAX_RETURN_IF_ERROR(CheckIsFree(data_dir));
  HAPAX_ASSIGN_OR_RETURN(const auto engine, OpenForReading(backup_dir));
  if (engine == nullptr) return absl::NotFoundError(absl::StrCat(backup_dir, " has no backup"));
  HAPAX_ASSIGN_OR_RETURN(const Backup backup, Choose(*engine, backup_dir, id));
  const rocksdb::IOStatus verified = engine->VerifyBackup(backup.id, /*verify_with_checksum=*/true);
  if (!verified.ok()) return Damaged(backup_dir, backup.id, verified.ToString());

  HAPAX_RETURN_IF_ERROR(MakeDirectory(data_dir));
  // The files lie beside the data directory until they are complete.
  const std::string beside = fs::path(fs::absolute(data_dir) / "").parent_path().string() + ".restoring";
  HAPAX_RETURN_IF_ERROR(MakeAnew(beside, unfinished));
  const absl::Cleanup remove_it = [&] {
    std::error_code error;
    fs::remove_all(beside, error);
  };
  HAPAX_RETURN_IF_ERROR(FromRocksDb(engine->RestoreDBFromBackup(rocksdb::RestoreOptions(), backup.id, beside, beside)));
  HAPAX_RETURN_IF_ERROR(SyncAll(beside));
  if (::rename(beside.c_str(), data_dir.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot write ", data_dir, ": ", std::strerror(errno)));
  }
  HAPAX_RETURN_IF_ERROR(Sync(fs::path(beside).parent_path()));
  return backup;
}

}  // namespace hapax
