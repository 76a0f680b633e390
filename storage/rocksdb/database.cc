#include "hapax/storage/rocksdb/database.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/data_directory.h"
#include "hapax/storage/rocksdb/format_upgrade.h"
#include "hapax/storage/rocksdb/format_version.h"
#include "hapax/storage/rocksdb/log_stamp.h"
#include "hapax/storage/store_error.h"
#include "rocksdb/listener.h"
#include "rocksdb/write_batch.h"

namespace hapax {
namespace {

// Files of the expiring table older than this are compacted even without new writes, so that the space of expired
// records is given back.
constexpr uint64_t kExpiringFileMaxAgeSeconds = uint64_t{12} * 60 * 60;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

// Observes background errors, and prevents RocksDB's own recovery from them.
class Database::FailureListener final : public rocksdb::EventListener {
 public:
  explicit FailureListener(Database& database) : database_(database) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    // RocksDB compacts again, and the written data is intact.
    const bool is_passing = error->severity() == rocksdb::Status::Severity::kNoError;
    if (reason == rocksdb::BackgroundErrorReason::kCompaction && is_passing) return;
    database_.Fail(FromRocksDb(*error));
  }

  // RocksDB's recovery would flush its memory and write on, behind a failed write that may be in the log.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status error,
                            bool* auto_recovery) override {
    *auto_recovery = false;
    database_.Fail(FromRocksDb(error));
  }

 private:
  Database& database_;
};

// Hides from recovery the writes of the log after the last acknowledged one.
class Database::AcknowledgedWrites final : public rocksdb::WalFilter {
 public:
  explicit AcknowledgedWrites(uint64_t last_write) : last_write_(last_write) {}

  WalProcessingOption LogRecordFound(unsigned long long /*log_number*/,  // NOLINT(google-runtime-int): RocksDB's.
                                     const std::string& /*log_file_name*/, const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* /*new_batch*/, bool* /*batch_changed*/) override {
    // A batch begins with the number of its first row, 8 bytes LE. The rows of a batch have consecutive numbers.
    static_assert(std::endian::native == std::endian::little);
    uint64_t number = 0;
    if (batch.Data().size() < sizeof(number)) return WalProcessingOption::kCorruptedRecord;
    std::memcpy(&number, batch.Data().data(), sizeof(number));
    return number > last_write_ ? WalProcessingOption::kIgnoreCurrentRecord : WalProcessingOption::kContinueProcessing;
  }
  [[nodiscard]] const char* Name() const override { return "AcknowledgedWrites"; }

 private:
  const uint64_t last_write_;
};

absl::Status FromRocksDb(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsCorruption()) return StoreError(absl::DataLossError(status.ToString()));
  return StoreError(absl::UnavailableError(status.ToString()));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(Opening opening) {
  HAPAX_ASSIGN_OR_RETURN(const bool is_old, CheckDirectory(opening.path, opening.options));
  if (is_old && !opening.may_upgrade) {
    return absl::FailedPreconditionError(
        absl::StrCat(opening.path, ": has an earlier format, or was left half-way to today's: start the server once"));
  }
  if (is_old) HAPAX_RETURN_IF_ERROR(UpgradeFormat(opening.path, opening.options, opening.format_1_service));
  std::unique_ptr<Database> database(new Database(std::move(opening.on_failure)));
  rocksdb::Options& options = opening.options;
  options.create_if_missing = opening.may_create;
  options.create_missing_column_families = opening.may_create;
  options.listeners.push_back(std::make_shared<FailureListener>(*database));
  options.max_bgerror_resume_count = 0;
  // The old log is deleted durably before the first new write, so discarded writes stay discarded.
  options.avoid_flush_during_recovery = false;
  if (opening.last_write.has_value()) {
    database->log_filter_ = std::make_unique<AcknowledgedWrites>(*opening.last_write);
    options.wal_filter = database->log_filter_.get();
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.reserve(kTableCount);
  for (Table table : kAllTables) {
    rocksdb::ColumnFamilyOptions& family = families.emplace_back(std::string(TableName(table)), options).options;
    if (table == Table::kResources && opening.service_hints != nullptr) {
      family.memtable_insert_with_hint_prefix_extractor = opening.service_hints;
    }
    if (table == Table::kTokens && opening.uncached_files != nullptr) family.table_factory = opening.uncached_files;
    if (table == opening.expiring_table) {
      family.compaction_filter = opening.expiry_filter;
      family.periodic_compaction_seconds = kExpiringFileMaxAgeSeconds;
    }
  }

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, opening.path, families, &handles, &db);
  if (!status.ok()) return OpeningError(opening.path, status);
  database->db_.reset(db);
  std::copy(handles.begin(), handles.end(), database->handles_.begin());
  if (absl::Status format = database->CheckFormat(opening.may_create); !format.ok()) {
    return absl::Status(format.code(), absl::StrCat(opening.path, ": ", format.message()));
  }
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

absl::Status Database::CheckFormat(bool may_create) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> format, Get(Table::kMeta, kFormatVersionKey, nullptr));
  if (format.has_value()) {
    HAPAX_RETURN_IF_ERROR(ParseFormatVersion(*format).status());
    return LearnLogId();
  }
  if (!may_create) return absl::DataLossError("the format version is missing");
  HAPAX_ASSIGN_OR_RETURN(log_id_, NewLogId());
  Overlay writes;
  writes.Write(Table::kMeta, std::string(kFormatVersionKey), absl::StrCat(kFormatVersion));
  writes.Write(Table::kMeta, std::string(kLogIdKey), log_id_);
  return WriteDurably(writes);
}

absl::Status Database::LearnLogId() {
  HAPAX_ASSIGN_OR_RETURN(std::optional<std::string> log_id, Get(Table::kMeta, kLogIdKey, nullptr));
  if (!log_id.has_value() || log_id->size() != kLogIdBytes) return absl::DataLossError("the log id is missing");
  log_id_ = *std::move(log_id);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> Database::Get(Table table, std::string_view key,
                                                         const rocksdb::Snapshot* snapshot, int64_t max_bytes) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = db_->Get(options, Handle(table), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  HAPAX_RETURN_IF_ERROR(FromRocksDb(status));
  if (static_cast<int64_t>(value.size()) > max_bytes) return absl::OutOfRangeError("a longer row than may be read");
  return value.ToString();
}

std::unique_ptr<rocksdb::Iterator> Database::NewIterator(Table table, const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, Handle(table)));
}

absl::Status Database::WriteDurably(const Overlay& writes) {
  if (failed()) return absl::UnavailableError("writes are suspended: an earlier one failed");
  rocksdb::WriteBatch batch;
  HAPAX_RETURN_IF_ERROR(Stamp(log_id_, batch));
  for (Table table : kAllTables) {
    for (const auto& [key, value] : writes.rows(table)) {
      const rocksdb::Status status = value.has_value() ? batch.Put(Handle(table), ToSlice(key), ToSlice(*value))
                                                       : batch.Delete(Handle(table), ToSlice(key));
      HAPAX_RETURN_IF_ERROR(FromRocksDb(status));
    }
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status status = db_->Write(options, &batch);
  if (status.ok()) return absl::OkStatus();
  // The cause may be background damage instead of this write; none of the caller's rows is lost either way.
  absl::Status failure = absl::UnavailableError(status.ToString());
  Fail(failure);
  return failure;
}

absl::Status Database::Compact() {
  for (Table table : kAllTables) {
    HAPAX_RETURN_IF_ERROR(FromRocksDb(db_->Flush(rocksdb::FlushOptions(), Handle(table))));
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    HAPAX_RETURN_IF_ERROR(FromRocksDb(db_->CompactRange(options, Handle(table), nullptr, nullptr)));
  }
  return absl::OkStatus();
}

void Database::Fail(const absl::Status& why) {
  if (!failed_.exchange(true, std::memory_order_acq_rel)) on_failure_(why);
}

}  // namespace hapax
