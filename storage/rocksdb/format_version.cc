#include "hapax/storage/rocksdb/format_version.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/storage/format.h"
#include "rocksdb/db.h"
#include "rocksdb/wal_filter.h"
#include "rocksdb/write_batch.h"

namespace hapax {
namespace {

// Table meta is RocksDB's default column family, whose number is always the same.
constexpr uint32_t kMetaFamily = 0;

// Finds out whether a batch writes to table meta.
class MetaFinder final : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& /*key*/, const rocksdb::Slice& /*value*/) override {
    return Look(family);
  }
  rocksdb::Status DeleteCF(uint32_t family, const rocksdb::Slice& /*key*/) override { return Look(family); }

  [[nodiscard]] bool found() const { return found_; }

 private:
  rocksdb::Status Look(uint32_t family) {
    found_ = found_ || family == kMetaFamily;
    return rocksdb::Status::OK();
  }

  bool found_ = false;
};

// Skips log records that do not concern the format, so that reading the log takes little memory.
class MetaWritesOnly final : public rocksdb::WalFilter {
 public:
  WalProcessingOption LogRecordFound(unsigned long long /*log_number*/,  // NOLINT(google-runtime-int): RocksDB's.
                                     const std::string& /*log_file_name*/, const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* /*new_batch*/, bool* /*batch_changed*/) override {
    MetaFinder finder;
    const bool is_understood = batch.Iterate(&finder).ok();
    return is_understood && !finder.found() ? WalProcessingOption::kIgnoreCurrentRecord
                                            : WalProcessingOption::kContinueProcessing;
  }
  [[nodiscard]] const char* Name() const override { return "MetaWritesOnly"; }
};

}  // namespace

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
  MetaWritesOnly filter;
  rocksdb::Options reading = options;
  reading.wal_filter = &filter;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {{std::string(TableName(Table::kMeta)), reading}};
  DirectoryFormat format;
  if (!rocksdb::DB::OpenForReadOnly(reading, path, families, &handles, &opened).ok()) return format;
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
