#include "hapax/storage/rocksdb/data_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/database.h"
#include "hapax/storage/rocksdb/format_version.h"
#include "hapax/storage/rocksdb/log_check.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace hapax {
namespace {

constexpr char kCurrentName[] = "CURRENT";
// The first file of a new database, written before CURRENT names it.
constexpr std::string_view kFirstManifestName = "MANIFEST-000001";
constexpr char kProbeName[] = "hapax-write-probe";
// What opening writes besides the rows of the logs: a new manifest and log, and the overhead of the tables.
constexpr uint64_t kOpeningBytes = uint64_t{4} << 20;
constexpr size_t kProbeWriteBytes = 4096;

std::string FileIn(const std::string& path, const std::string& name) { return absl::StrCat(path, "/", name); }

// Whether RocksDB reports that this or another process holds the directory's lock. Other errors do not match: that the
// lock file cannot be opened, or an error about a path that contains "lock".
bool SaysLockIsHeld(std::string_view text) {
  return text.starts_with("IO error: While lock file: ") || text.starts_with("IO error: lock hold by current process");
}

// CURRENT names the manifest, which names all other files. Without CURRENT RocksDB would create a new database. Only an
// interrupted creation leaves no CURRENT, and then there is nothing but the first manifest.
absl::Status CheckCurrentIsThere(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(FileIn(path, kCurrentName), error)) return absl::OkStatus();
  for (const auto& file : std::filesystem::directory_iterator(path, error)) {
    const std::string name = file.path().filename().string();
    const bool is_manifest = name.starts_with("MANIFEST-") && name != kFirstManifestName;
    if (!is_manifest && !name.ends_with(".sst") && !name.ends_with(".log")) continue;
    return absl::DataLossError(absl::StrCat(path, " has files of a database (", name, "), but its file ", kCurrentName,
                                            " is missing: restore it, or name another directory"));
  }
  return absl::OkStatus();
}

// Whether a database has any row; true if that cannot be determined.
bool HasRows(const std::string& path, const rocksdb::Options& options, const std::vector<std::string>& names) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.reserve(names.size());
  for (const std::string& name : names) families.emplace_back(name, options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  if (!rocksdb::DB::OpenForReadOnly(options, path, families, &handles, &opened).ok()) return true;
  const std::unique_ptr<rocksdb::DB> db(opened);
  bool has_rows = false;
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    const std::unique_ptr<rocksdb::Iterator> row(db->NewIterator(rocksdb::ReadOptions(), handle));
    row->SeekToFirst();
    has_rows = has_rows || row->Valid() || !row->status().ok();
  }
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  return has_rows;
}

// How many bytes reopening the database may need: the rows of its logs become tables.
uint64_t BytesToOpen(rocksdb::FileSystem& files, const std::string& path) {
  uint64_t bytes = kOpeningBytes;
  std::vector<std::string> names;
  files.GetChildren(path, rocksdb::IOOptions(), &names, nullptr).PermitUncheckedError();
  for (const std::string& name : names) {
    uint64_t size = 0;
    if (!name.ends_with(".log")) continue;
    if (files.GetFileSize(FileIn(path, name), rocksdb::IOOptions(), &size, nullptr).ok()) bytes += size;
  }
  return bytes;
}

rocksdb::IOStatus WriteProbe(rocksdb::FileSystem& files, const std::string& name, uint64_t bytes) {
  const rocksdb::IOOptions options;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = files.NewWritableFile(name, rocksdb::FileOptions(), &file, nullptr);
  if (!status.ok()) return status;
  // Some file systems cannot allocate space in advance; for them the free space read above must suffice.
  status = file->Allocate(0, bytes, options, nullptr);
  if (!status.IsNoSpace()) status = file->Append(std::string(kProbeWriteBytes, '\0'), options, nullptr);
  if (status.ok()) status = file->Fsync(options, nullptr);
  const rocksdb::IOStatus closed = file->Close(options, nullptr);
  return status.ok() ? closed : status;
}

}  // namespace

absl::Status MakeDirectory(const std::string& path) {
  std::error_code error;
  std::filesystem::path wanted = std::filesystem::absolute(path, error).lexically_normal();
  if (!wanted.has_filename()) wanted = wanted.parent_path();
  // RocksDB syncs the directory's entries, but not the entry of the directory itself.
  std::vector<std::filesystem::path> parents;
  for (auto missing = wanted; !std::filesystem::exists(missing, error) && missing.has_relative_path();
       missing = missing.parent_path()) {
    parents.push_back(missing.parent_path());
  }
  std::filesystem::create_directories(wanted, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat("cannot create ", path, ": ", error.message()));
  for (const std::filesystem::path& parent : parents) HAPAX_RETURN_IF_ERROR(Sync(parent));
  return absl::OkStatus();
}

absl::Status Sync(const std::filesystem::path& path) {
  const auto fail = [&] {
    return absl::UnavailableError(absl::StrCat("cannot sync ", path.string(), ": ", std::strerror(errno)));
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail();
  absl::Status status = fsync(file) == 0 ? absl::OkStatus() : fail();
  close(file);
  return status;
}

// An interrupted creation leaves some of our column families and no row: that is our format. An interrupted upgrade
// still has the old family: that is ours, too.
absl::StatusOr<bool> CheckDirectory(const std::string& path, const rocksdb::Options& options) {
  HAPAX_RETURN_IF_ERROR(CheckCurrentIsThere(path));
  HAPAX_ASSIGN_OR_RETURN(const DirectoryFormat format, ReadFormat(path, options));
  HAPAX_RETURN_IF_ERROR(CheckLogs(path, format.log_id));
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, path, &names).ok()) return false;  // Opening reports the error.
  const auto is_ours = [](const std::string& name) {
    return name == kOldResourcesName ||
           std::any_of(kAllTables.begin(), kAllTables.end(), [&](Table table) { return TableName(table) == name; });
  };
  const bool all_are_ours = std::all_of(names.begin(), names.end(), is_ours);
  const bool is_old = std::find(names.begin(), names.end(), kOldResourcesName) != names.end();
  if (all_are_ours && (is_old ? format.version > 0 : names.size() == kTableCount)) return is_old;
  if (all_are_ours && !HasRows(path, options, names)) return is_old;
  return absl::FailedPreconditionError(absl::StrCat(path, ": its format is not ours: it has other tables"));
}

absl::Status ProbeDirectory(const std::string& path, const rocksdb::Options& options) {
  rocksdb::FileSystem& files = *options.env->GetFileSystem();
  // The directory may be gone, for example with an unmounted disk: then the open database is better than none.
  HAPAX_RETURN_IF_ERROR(
      FromRocksDb(files.FileExists(FileIn(path, kCurrentName), rocksdb::IOOptions(), /*dbg=*/nullptr)));
  const uint64_t needed = BytesToOpen(files, path);
  uint64_t free = 0;
  const rocksdb::IOStatus asked = files.GetFreeSpace(path, rocksdb::IOOptions(), &free, /*dbg=*/nullptr);
  if (asked.ok() && free < needed) {
    return absl::UnavailableError(
        absl::StrCat(path, ": fewer bytes are free than opening its database afresh may take, ", needed));
  }
  const std::string probe = FileIn(path, kProbeName);
  const absl::Status written = FromRocksDb(WriteProbe(files, probe, needed));
  const absl::Status removed = FromRocksDb(files.DeleteFile(probe, rocksdb::IOOptions(), /*dbg=*/nullptr));
  return written.ok() ? removed : written;
}

void RemoveProbe(const std::string& path, const rocksdb::Options& options) {
  options.env->GetFileSystem()
      ->DeleteFile(FileIn(path, kProbeName), rocksdb::IOOptions(), nullptr)
      .PermitUncheckedError();
}

absl::Status OpeningError(const std::string& path, const rocksdb::Status& status) {
  const std::string text = status.ToString();
  if (status.IsIOError() && SaysLockIsHeld(text)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is in use by another server (its LOCK file is held): ", text));
  }
  if (status.IsIOError() &&
      (absl::StrContains(text, std::strerror(EACCES)) || absl::StrContains(text, std::strerror(EROFS)))) {
    return absl::PermissionDeniedError(absl::StrCat(path, " is not writable: ", text));
  }
  const absl::Status converted = FromRocksDb(status);
  return {converted.code(), absl::StrCat("cannot open ", path, ": ", converted.message())};
}

}  // namespace hapax
