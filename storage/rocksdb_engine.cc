#include "hapax/storage/rocksdb_engine.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/storage/format.h"
#include "hapax/storage/status_macros.h"
#include "hapax/storage/token_compaction.h"
#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"

namespace hapax {
namespace {

constexpr Table kTables[kTableCount] = {Table::kMeta, Table::kTokens, Table::kResources, Table::kWork};
constexpr double kBloomBitsPerKey = 10;
constexpr double kMemtableFilterShare = 0.02;  // Of the write buffer.
constexpr size_t kWriteBufferBytes = size_t{64} << 20;
constexpr size_t kMaxLogBytes = size_t{256} << 20;
// Files of table tokens that are older than this are compacted though nothing was written beside them, so
// that the space of expired records is given back.
constexpr uint64_t kTokenFileMaxAgeSeconds = 12 * 60 * 60;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

// Swallows what RocksDB would log to a file. Its own logger ends the process when it cannot write: Debian's
// RocksDB has assertions, and one of them forbids a second write to a file that failed once.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options EngineOptions(size_t block_cache_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(block_cache_bytes);
  // Most lookups are of tokens that are not there yet: a filter answers them without reading a block.
  // Filters and indexes live in the cache, so that memory is bounded whatever the tables hold.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;

  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = kWriteBufferBytes;
  options.max_total_wal_size = kMaxLogBytes;
  // The same filter for what is still in memory.
  options.memtable_prefix_bloom_size_ratio = kMemtableFilterShare;
  options.memtable_whole_key_filtering = true;
  options.info_log = std::make_shared<NoLog>();
  // A log that ends in a half-written record is what a crash leaves: that record was never
  // acknowledged. Damage that does not look like such an end stops the start.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

const Clock& MachineClock() {
  static const SystemClock kClock;
  return kClock;
}

absl::Status MakeDirectory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat("cannot create ", path, ": ", error.message()));
  return absl::OkStatus();
}

// Whether RocksDB says that the directory's lock is held, by another process or by this one; not that the
// lock file cannot be opened, nor that a file cannot whose path has "lock" in it.
bool SaysLockIsHeld(std::string_view text) {
  return text.starts_with("IO error: While lock file: ") || text.starts_with("IO error: lock hold by current process");
}

absl::Status OpenError(const std::string& path, const rocksdb::Status& status) {
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

// Whether a database has any row; also when that cannot be found out.
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

// Looks at what an existing directory says of itself, and changes nothing in it. A directory whose creation
// was cut short is of our format: it has some of our families, and no row.
absl::Status CheckFormatBeforeOpening(const std::string& path, const rocksdb::Options& options) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, path, &names).ok()) return absl::OkStatus();  // Opening tells more.
  const auto is_ours = [](const std::string& name) {
    return std::any_of(std::begin(kTables), std::end(kTables), [&](Table table) { return TableName(table) == name; });
  };
  const bool all_are_ours = std::all_of(names.begin(), names.end(), is_ours);
  if (all_are_ours && names.size() == kTableCount) return absl::OkStatus();
  if (all_are_ours && !HasRows(path, options, names)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path, ": its format is not ours: it has other tables"));
}

}  // namespace

absl::Status FromRocksDb(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsCorruption()) return absl::DataLossError(status.ToString());
  return absl::UnavailableError(status.ToString());
}

RocksDbEngine::RocksDbEngine(const Clock* clock)
    : token_filter_(MakeTokenCompactionFilter(clock == nullptr ? MachineClock() : *clock)) {}

absl::StatusOr<std::unique_ptr<RocksDbEngine>> RocksDbEngine::Open(const std::string& path, size_t block_cache_bytes,
                                                                   const Clock* clock) {
  HAPAX_RETURN_IF_ERROR(MakeDirectory(path));
  const rocksdb::Options options = EngineOptions(block_cache_bytes);
  HAPAX_RETURN_IF_ERROR(CheckFormatBeforeOpening(path, options));
  std::unique_ptr<RocksDbEngine> engine(new RocksDbEngine(clock));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (Table table : kTables) {
    rocksdb::ColumnFamilyOptions& family = families.emplace_back(std::string(TableName(table)), options).options;
    if (table != Table::kTokens) continue;
    family.compaction_filter = engine->token_filter_.get();
    family.periodic_compaction_seconds = kTokenFileMaxAgeSeconds;
  }

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, families, &handles, &db);
  if (!status.ok()) return OpenError(path, status);
  engine->db_.reset(db);
  std::copy(handles.begin(), handles.end(), engine->handles_.begin());
  if (absl::Status format = engine->CheckFormat(); !format.ok()) {
    return absl::Status(format.code(), absl::StrCat(path, ": ", format.message()));
  }
  return engine;
}

RocksDbEngine::~RocksDbEngine() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

absl::Status RocksDbEngine::CheckFormat() {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> format, Get(Table::kMeta, kFormatVersionKey, nullptr));
  if (!format.has_value()) {
    Overlay writes;
    writes.Write(Table::kMeta, std::string(kFormatVersionKey), absl::StrCat(kFormatVersion));
    return WriteDurably(writes);
  }
  uint64_t version = 0;
  if (!absl::SimpleAtoi(*format, &version)) return absl::DataLossError("the format version is not a number");
  if (version != kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("has format version ", version, ", but this server reads only ", kFormatVersion));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> RocksDbEngine::Get(Table table, std::string_view key,
                                                              const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  const rocksdb::Status status = db_->Get(options, Handle(table), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  HAPAX_RETURN_IF_ERROR(FromRocksDb(status));
  return value;
}

std::unique_ptr<rocksdb::Iterator> RocksDbEngine::NewIterator(Table table, const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, Handle(table)));
}

absl::Status RocksDbEngine::WriteDurably(const Overlay& writes) {
  rocksdb::WriteBatch batch;
  for (Table table : kTables) {
    for (const auto& [key, value] : writes.rows(table)) {
      const rocksdb::Status status = value.has_value() ? batch.Put(Handle(table), ToSlice(key), ToSlice(*value))
                                                       : batch.Delete(Handle(table), ToSlice(key));
      HAPAX_RETURN_IF_ERROR(FromRocksDb(status));
    }
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  return FromRocksDb(db_->Write(options, &batch));
}

absl::Status RocksDbEngine::Compact() {
  for (Table table : kTables) {
    HAPAX_RETURN_IF_ERROR(FromRocksDb(db_->Flush(rocksdb::FlushOptions(), Handle(table))));
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    HAPAX_RETURN_IF_ERROR(FromRocksDb(db_->CompactRange(options, Handle(table), nullptr, nullptr)));
  }
  return absl::OkStatus();
}

}  // namespace hapax
