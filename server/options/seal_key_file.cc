#include "hapax/server/options/seal_key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/digest.h"
#include "hapax/base/guarded_file.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"

namespace hapax {
namespace {

constexpr char kFirstKeyId[] = "key-1";
constexpr size_t kCheckSize = 16;
constexpr std::string_view kMetaKind = "seal_key";

// The digest by which the store recognizes a key.
std::string CheckOf(const SealKeys::Key& key) {
  const std::string_view secret(reinterpret_cast<const char*>(key.secret.data()), key.secret.size());
  const Sha256Digest digest = Sha256(KeyBuilder().String("hapax seal key").String(key.id).String(secret).Build());
  return {reinterpret_cast<const char*>(digest.data()), kCheckSize};
}

std::string MetaKey(std::string_view id) { return KeyBuilder().String(kMetaKind).String(id).Build(); }

// The digests of all keys that were ever used, by id.
absl::StatusOr<std::map<std::string, std::string>> UsedKeys(const ReadTransaction& txn) {
  std::map<std::string, std::string> checks;
  absl::Status row_status;
  HAPAX_RETURN_IF_ERROR(txn.Scan(Table::kMeta, KeyRange::Prefix(KeyBuilder().String(kMetaKind).Build()),
                                 [&](std::string_view key, std::string_view value) {
                                   store::v1::SealKeyRow row;
                                   KeyParser parser(key);
                                   row_status = parser.String().status();
                                   const absl::StatusOr<std::string> id = parser.String();
                                   row_status.Update(id.status());
                                   row_status.Update(DecodeRow(key, value, &row));
                                   if (row_status.ok()) checks[*id] = row.check();
                                   return row_status.ok();
                                 }));
  HAPAX_RETURN_IF_ERROR(row_status);
  return checks;
}

absl::Status FileError(const std::string& what) {
  return absl::PermissionDeniedError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const int directory = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const absl::Cleanup close_it = [&] { close(directory); };
  if (directory < 0 || fsync(directory) != 0) return FileError("its directory cannot be synced");
  return absl::OkStatus();
}

// The file is complete and durable before its key seals the first reply. An interrupted creation leaves no file.
absl::Status CreateKeyFile(const std::string& path, const std::string& text) {
  const std::string unfinished = path + ".new";
  unlink(unfinished.c_str());  // Left by an interrupted start.
  // O_EXCL and O_NOFOLLOW guarantee a new file, even if somebody puts another in its place.
  const int file = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return FileError("cannot be created");
  const absl::Cleanup close_it = [&] { close(file); };
  const bool written = fchmod(file, S_IRUSR | S_IWUSR) == 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0 &&
                       link(unfinished.c_str(), path.c_str()) == 0 && unlink(unfinished.c_str()) == 0;
  if (!written) {
    absl::Status error = FileError("cannot be created");
    unlink(unfinished.c_str());
    return error;
  }
  return SyncDirectoryOf(path);
}

// Compares the keys with those that were used, and records the sealing key in the store.
absl::StatusOr<std::vector<std::string>> Register(const SealKeys& keys, Store& store) {
  std::vector<std::string> missing;
  const absl::Status status = ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(auto used, UsedKeys(txn));
    const SealKeys::Key& sealing = keys.keys().front();
    const bool is_new = !used.contains(sealing.id);
    for (const SealKeys::Key& key : keys.keys()) {
      const auto known = used.find(key.id);
      if (known == used.end()) continue;
      if (known->second != CheckOf(key)) {
        return absl::FailedPreconditionError(
            absl::StrCat("key \"", key.id,
                         "\" is not the one of that id that stored replies are sealed with; put "
                         "the right file back from its backup, or give the new key another id"));
      }
      used.erase(known);
    }
    missing.clear();
    for (const auto& [id, check] : used) missing.push_back(id);
    if (!is_new) return absl::OkStatus();  // The row may have more fields, of a later release.
    store::v1::SealKeyRow row;
    row.set_check(CheckOf(sealing));
    PutRow(txn, Table::kMeta, MetaKey(sealing.id), row);
    return absl::OkStatus();
  });
  HAPAX_RETURN_IF_ERROR(status);
  return missing;
}

}  // namespace

absl::StatusOr<LoadedSealKeys> LoadSealKeys(const std::string& path, MissingSealKeys missing_file, Store& store) {
  absl::StatusOr<std::string> text = ReadGuardedFile(path, OthersMay::kNothing);
  if (absl::IsNotFound(text.status())) {
    absl::StatusOr<std::map<std::string, std::string>> used;
    const absl::Status status = QueryAndWait(store, [&](const ReadTransaction& txn) {
      used = UsedKeys(txn);
      return used.status();
    });
    HAPAX_RETURN_IF_ERROR(status);
    if (!used->empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "does not exist, but stored replies are sealed with key ",
          absl::StrJoin(*used, ", ", [](std::string* out, const auto& key) { *out += "\"" + key.first + "\""; }),
          missing_file == MissingSealKeys::kRefused ? "; copy it from another server, or put it back from its backup"
                                                    : "; put the file back from its backup"));
    }
    if (missing_file == MissingSealKeys::kRefused) {
      return absl::FailedPreconditionError(
          absl::StrCat("does not exist, and all servers of a store need the same keys: create it once, by `(umask 077; "
                       "echo \"",
                       kFirstKeyId, " $(openssl rand -hex 32)\" > ", path, ")`, and copy it to each server"));
    }
    text = SealKeys::NewFile(kFirstKeyId);
    HAPAX_RETURN_IF_ERROR(CreateKeyFile(path, *text));
  }
  if (!text.ok()) return text.status();
  HAPAX_ASSIGN_OR_RETURN(SealKeys keys, SealKeys::Parse(*text));
  HAPAX_ASSIGN_OR_RETURN(std::vector<std::string> missing, Register(keys, store));
  return LoadedSealKeys{.keys = std::move(keys), .missing_ids = std::move(missing)};
}

}  // namespace hapax
