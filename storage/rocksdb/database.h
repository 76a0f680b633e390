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

// An open RocksDB, its tables, and the two things done to it: reading a row and writing an overlay durably.
// Internal to storage: no header that other folders include knows it.
//
// After one write has failed, or a flush in the background, it is *failed*, and takes no write again. For when a
// write or its sync fails, its bytes may be in the log all the same: those that read this database do not see
// them, and a recovery does. A write beside them could be a second effect. It goes on being read: what it shows
// is durable and was acknowledged. RocksDbEngine opens its directory afresh.
//
// Thread-safety: safe, but for one WriteDurably at a time.
// Lifetime: nobody reads or writes it any more when it is destroyed, which closes it.
class Database {
 public:
  struct Opening {
    std::string path;
    rocksdb::Options options;  // The database's, and those of each of its tables.
    // Whether one is made when there is none. Otherwise that is an error, and nothing is made.
    bool may_create = true;
    // Whether a directory of an earlier format is brought to today's; otherwise that is FAILED_PRECONDITION.
    bool may_upgrade = true;
    // The full name of the service whose rows a directory of format 1 has (format_upgrade.h).
    std::string format_1_service;
    // What the log holds after the write of this number is left out, for good: these writes were never
    // acknowledged. Without it, all that the log holds counts.
    std::optional<uint64_t> last_write;
    // The table whose rows grow old, and what gives their space back; outlives the database.
    std::optional<Table> expiring_table;
    const rocksdb::CompactionFilter* expiry_filter = nullptr;
    // How the files of table tokens are written and read; null: as those of the other tables.
    std::shared_ptr<rocksdb::TableFactory> uncached_files;
    // What of a key of table services tells rows that are written together; null: as for the other tables.
    std::shared_ptr<const rocksdb::SliceTransform> service_hints;
    // Called once, on any thread, when the database has failed; must not block.
    std::function<void(const absl::Status& why)> on_failure = [](const absl::Status&) {};
  };
  // Errors: FAILED_PRECONDITION, another process holds it or its format is not ours; PERMISSION_DENIED, it
  // cannot be written; DATA_LOSS, it is damaged, or part of it is missing; UNAVAILABLE, anything else.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Database>> Open(Opening opening);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // `snapshot` may be null: the latest state. What can be read is durable: RocksDB shows a write only
  // after its log record is synced. Errors: DATA_LOSS, this row's block is damaged; OUT_OF_RANGE, the value is longer
  // than `max_bytes`, and was not copied; UNAVAILABLE.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(
      Table table, std::string_view key, const rocksdb::Snapshot* snapshot,
      int64_t max_bytes = std::numeric_limits<int64_t>::max()) const;
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> NewIterator(Table table, const rocksdb::Snapshot* snapshot) const;

  // Writes all of `writes` as one atomic batch and syncs it to the disk.
  // Errors: UNAVAILABLE, the write failed, and so has the database; or it had failed already, and nothing was done.
  [[nodiscard]] absl::Status WriteDurably(const Overlay& writes);

  // Writes everything to new files, without what is deleted, overwritten or expired.
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
  std::array<rocksdb::ColumnFamilyHandle*, kTableCount> handles_{};  // Owned by db_, given back before it closes.
  std::string log_id_;                                               // What each batch begins with (log_stamp.h).
};

// RocksDB's status as ours: corruption is DATA_LOSS, everything else UNAVAILABLE.
[[nodiscard]] absl::Status FromRocksDb(const rocksdb::Status& status);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_DATABASE_H_
