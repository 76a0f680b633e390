#ifndef HAPAX_STORAGE_ROCKSDB_DATABASE_H_
#define HAPAX_STORAGE_ROCKSDB_DATABASE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/store.h"
#include "rocksdb/compaction_filter.h"
#include "rocksdb/db.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"
#include "rocksdb/wal_filter.h"

namespace hapax {

// An open RocksDB with its tables, and two operations: reading a row, and writing an overlay durably. Internal to
// storage: no header that other folders include knows it.
//
// After a write or a background flush fails, the database is *failed* and never writes again. A failed write may still
// be in the log: readers do not see it, but recovery would. A write after it could then be a second effect. A failed
// database can still be read, since what it shows is durable and was acknowledged. RocksDbEngine reopens its directory.
//
// Thread-safety: safe, except that only one WriteDurably may run at a time.
// Lifetime: no reads or writes may run when the destructor closes it.
class Database {
 public:
  struct Opening {
    std::string path;
    rocksdb::Options options;  // Those of the database and of each table.
    // Whether to create a missing database. Otherwise it is an error, and nothing is created.
    bool may_create = true;
    // Whether to upgrade a directory of an earlier format; otherwise it is FAILED_PRECONDITION.
    bool may_upgrade = true;
    // The full name of the service whose rows a directory of format 1 has (format_upgrade.h).
    std::string format_1_service;
    // The number of the last acknowledged write. Later writes in the log are discarded for good. Without it, the whole
    // log counts.
    std::optional<uint64_t> last_write;
    // The table whose rows expire, and the filter that gives their space back. The filter outlives the database.
    std::optional<Table> expiring_table;
    const rocksdb::CompactionFilter* expiry_filter = nullptr;
    // How the files of table tokens are written and read; null: like those of the other tables.
    std::shared_ptr<rocksdb::TableFactory> uncached_files;
    // The part of a key in table services that rows written together share; null: as for the other tables.
    std::shared_ptr<const rocksdb::SliceTransform> service_hints;
    // Called once, on any thread, when the database fails; must not block.
    std::function<void(const absl::Status& why)> on_failure = [](const absl::Status&) {};
  };
  // Errors: FAILED_PRECONDITION, another process holds it or its format is not ours; PERMISSION_DENIED, it cannot be
  // written; DATA_LOSS, it is damaged, or part of it is missing; UNAVAILABLE, anything else.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Database>> Open(Opening opening);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // `snapshot` may be null, for the latest state. All rows read are durable: RocksDB shows a write only after its log
  // record is synced. Errors: DATA_LOSS, the row's block is damaged; OUT_OF_RANGE, the value is longer than `max_bytes`
  // and was not copied; UNAVAILABLE.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(
      Table table, std::string_view key, const rocksdb::Snapshot* snapshot,
      int64_t max_bytes = std::numeric_limits<int64_t>::max()) const;
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> NewIterator(Table table, const rocksdb::Snapshot* snapshot) const;

  // Writes all of `writes` as one atomic batch and syncs it to the disk. Errors: UNAVAILABLE, the write failed, and the
  // database with it; or the database had failed before, and nothing was written.
  [[nodiscard]] absl::Status WriteDurably(const Overlay& writes);

  // Rewrites everything to new files, without deleted, overwritten or expired rows.
  [[nodiscard]] absl::Status Compact();

  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }
  // The number of the last write that succeeded.
  [[nodiscard]] uint64_t last_write() const { return db_->GetLatestSequenceNumber(); }
  [[nodiscard]] rocksdb::DB& db() const { return *db_; }

 private:
  class FailureListener;
  class AcknowledgedWrites;

  explicit Database(std::function<void(const absl::Status&)> on_failure) : on_failure_(std::move(on_failure)) {}

  [[nodiscard]] rocksdb::ColumnFamilyHandle* Handle(Table table) const { return handles_[static_cast<int>(table)]; }
  [[nodiscard]] absl::Status CheckFormat(bool may_create);
  [[nodiscard]] absl::Status LearnLogId();
  void Fail(const absl::Status& why);

  const std::function<void(const absl::Status&)> on_failure_;
  std::atomic<bool> failed_ = false;
  std::unique_ptr<rocksdb::WalFilter> log_filter_;  // May be null.
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kTableCount> handles_{};  // Owned by db_, released before it closes.
  std::string log_id_;                                               // The first bytes of each batch (log_stamp.h).
};

// Converts RocksDB's status: corruption is DATA_LOSS, everything else UNAVAILABLE.
[[nodiscard]] absl::Status FromRocksDb(const rocksdb::Status& status);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_DATABASE_H_
