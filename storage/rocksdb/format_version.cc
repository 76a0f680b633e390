#include "hapax/storage/rocksdb/format_version.h"

#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/storage/format.h"
#include "rocksdb/db.h"

namespace hapax {

absl::StatusOr<uint64_t> ParseFormatVersion(std::string_view value) {
  uint64_t version = 0;
  if (!absl::SimpleAtoi(absl::string_view(value.data(), value.size()), &version)) {
    return absl::DataLossError("the format version is not a number");
  }
  if (version >= 1 && version <= kFormatVersion) return version;
  return absl::FailedPreconditionError(
      absl::StrCat("has format version ", version, ", but this server reads only up to ", kFormatVersion));
}

absl::StatusOr<DirectoryFormat> ReadFormat(const std::string& path, const rocksdb::Options& options) {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  // Of the logs RocksDB keeps no rows but those of the tables that are opened.
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {{std::string(TableName(Table::kMeta)), options}};
  DirectoryFormat format;
  if (!rocksdb::DB::OpenForReadOnly(options, path, families, &handles, &opened).ok()) return format;
  const std::unique_ptr<rocksdb::DB> db(opened);
  const auto read = [&](std::string_view key, std::string* value) {
    return db->Get(rocksdb::ReadOptions(), handles.front(), rocksdb::Slice(key.data(), key.size()), value).ok();
  };
  std::string version;
  const bool has_version = read(kFormatVersionKey, &version);
  if (!read(kLogIdKey, &format.log_id)) format.log_id.clear();
  db->DestroyColumnFamilyHandle(handles.front()).PermitUncheckedError();
  if (!has_version) return format;
  absl::StatusOr<uint64_t> parsed = ParseFormatVersion(version);
  if (!parsed.ok()) return absl::Status(parsed.status().code(), absl::StrCat(path, ": ", parsed.status().message()));
  format.version = *parsed;
  return format;
}

}  // namespace hapax
