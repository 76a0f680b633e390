#include "hapax/storage/rocksdb/format_upgrade.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/format.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rocksdb/data_directory.h"
#include "hapax/storage/rocksdb/database.h"
#include "hapax/storage/rocksdb/log_stamp.h"
#include "hapax/storage/service_table.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"

namespace hapax {
namespace {

// A batch moves this many bytes of rows, and at most one row more.
constexpr size_t kBatchBytes = size_t{1} << 20;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

// A directory opened for its upgrade.
class Upgrade {
 public:
  explicit Upgrade(std::string_view service) : service_(service), prefix_(ServiceTablePrefix(service)) {}
  ~Upgrade() {
    if (db_ == nullptr) return;
    for (const auto& [name, handle] : families_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    db_->Close().PermitUncheckedError();
  }
  Upgrade(const Upgrade&) = delete;
  Upgrade& operator=(const Upgrade&) = delete;

  absl::Status Open(const std::string& path, const rocksdb::Options& options) {
    std::vector<std::string> names;
    HAPAX_RETURN_IF_ERROR(FromRocksDb(rocksdb::DB::ListColumnFamilies(options, path, &names)));
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.reserve(names.size());
    for (const std::string& name : names) descriptors.emplace_back(name, options);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened = rocksdb::DB::Open(options, path, descriptors, &handles, &db);
    if (!opened.ok()) return OpeningError(path, opened);
    db_.reset(db);
    for (rocksdb::ColumnFamilyHandle* handle : handles) families_[handle->GetName()] = handle;
    return absl::OkStatus();
  }

  // The owner of the rows must be known before anything is written.
  [[nodiscard]] absl::Status CheckService() const {
    if (!service_.empty()) return absl::OkStatus();
    const std::unique_ptr<rocksdb::Iterator> row = OldRows();
    for (row->SeekToFirst(); row->Valid(); row->Next()) {
      if (IsOperation(row->key().ToStringView())) continue;
      return absl::FailedPreconditionError(
          "has format version 1, which does not say which service its rows are of: name it (format_1_service)");
    }
    return FromRocksDb(row->status());
  }

  absl::Status WriteVersion() {
    std::string log_id;
    const rocksdb::Status found = db_->Get(rocksdb::ReadOptions(), FamilyOf(Table::kMeta), ToSlice(kLogIdKey), &log_id);
    if (!found.ok() && !found.IsNotFound()) return FromRocksDb(found);
    if (found.ok()) {
      log_id_ = std::move(log_id);
    } else {
      HAPAX_ASSIGN_OR_RETURN(log_id_, NewLogId());
    }
    rocksdb::WriteBatch batch;
    HAPAX_RETURN_IF_ERROR(Stamp(log_id_, batch));
    HAPAX_RETURN_IF_ERROR(FromRocksDb(
        batch.Put(FamilyOf(Table::kMeta), ToSlice(kFormatVersionKey), ToSlice(absl::StrCat(kFormatVersion)))));
    HAPAX_RETURN_IF_ERROR(FromRocksDb(batch.Put(FamilyOf(Table::kMeta), ToSlice(kLogIdKey), ToSlice(log_id_))));
    return Write(batch);
  }

  absl::Status MakeTables(const rocksdb::Options& options) {
    for (Table table : kAllTables) {
      const std::string name(TableName(table));
      if (families_.contains(name)) continue;
      rocksdb::ColumnFamilyHandle* family = nullptr;
      HAPAX_RETURN_IF_ERROR(FromRocksDb(db_->CreateColumnFamily(options, name, &family)));
      families_[name] = family;
    }
    return absl::OkStatus();
  }

  // Values are not changed, not even damaged ones: their checksums cover the services' own keys.
  absl::Status MoveRows() {
    rocksdb::ColumnFamilyHandle* const old = families_.at(std::string(kOldResourcesName));
    const std::unique_ptr<rocksdb::Iterator> row = OldRows();
    row->SeekToFirst();
    while (row->Valid()) {
      rocksdb::WriteBatch batch;
      HAPAX_RETURN_IF_ERROR(Stamp(log_id_, batch));
      for (; row->Valid() && batch.GetDataSize() < kBatchBytes; row->Next()) {
        const std::string_view key = row->key().ToStringView();
        const bool is_operation = IsOperation(key);
        const std::string new_key =
            absl::StrCat(is_operation ? "" : absl::string_view(prefix_), absl::string_view(key.data(), key.size()));
        rocksdb::ColumnFamilyHandle* const to = FamilyOf(is_operation ? Table::kOperations : Table::kResources);
        HAPAX_RETURN_IF_ERROR(FromRocksDb(batch.Put(to, ToSlice(new_key), row->value())));
        HAPAX_RETURN_IF_ERROR(FromRocksDb(batch.Delete(old, row->key())));
      }
      HAPAX_RETURN_IF_ERROR(Write(batch));
    }
    return FromRocksDb(row->status());
  }

  absl::Status DropOldTable() {
    return FromRocksDb(db_->DropColumnFamily(families_.at(std::string(kOldResourcesName))));
  }

 private:
  static bool IsOperation(std::string_view key) { return key.starts_with(KeyBuilder().String("operation").Build()); }

  [[nodiscard]] rocksdb::ColumnFamilyHandle* FamilyOf(Table table) const {
    return families_.at(std::string(TableName(table)));
  }
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> OldRows() const {
    return std::unique_ptr<rocksdb::Iterator>(
        db_->NewIterator(rocksdb::ReadOptions(), families_.at(std::string(kOldResourcesName))));
  }
  absl::Status Write(rocksdb::WriteBatch& batch) {
    rocksdb::WriteOptions options;
    options.sync = true;
    return FromRocksDb(db_->Write(options, &batch));
  }

  const std::string_view service_;
  const std::string prefix_;
  std::string log_id_;
  std::unique_ptr<rocksdb::DB> db_;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families_;  // Owned by db_.
};

}  // namespace

absl::Status UpgradeFormat(const std::string& path, rocksdb::Options options, std::string_view service) {
  options.create_if_missing = false;
  options.create_missing_column_families = false;
  Upgrade upgrade(service);
  HAPAX_RETURN_IF_ERROR(upgrade.Open(path, options));
  if (absl::Status known = upgrade.CheckService(); !known.ok()) {
    return absl::Status(known.code(), absl::StrCat(path, ": ", known.message()));
  }
  HAPAX_RETURN_IF_ERROR(upgrade.WriteVersion());
  HAPAX_RETURN_IF_ERROR(upgrade.MakeTables(options));
  HAPAX_RETURN_IF_ERROR(upgrade.MoveRows());
  return upgrade.DropOldTable();
}

}  // namespace hapax
