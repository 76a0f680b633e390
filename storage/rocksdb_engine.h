#ifndef HAPAX_STORAGE_ROCKSDB_ENGINE_H_
#define HAPAX_STORAGE_ROCKSDB_ENGINE_H_

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/clock.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/store.h"
#include "rocksdb/compaction_filter.h"
#include "rocksdb/db.h"

namespace hapax {

// A data directory: the open RocksDB, its tables, and the two things done to it, reading a row and
// writing an overlay durably. Internal to storage: no header outside the folder includes RocksDB's.
//
// Thread-safety: safe, but for one WriteDurably at a time.
class RocksDbEngine {
 public:
  // Opens the data directory at `path`, and creates it when it does not exist.
  // Errors: FAILED_PRECONDITION, another process holds it or its format is not ours; PERMISSION_DENIED,
  // it cannot be created or written; DATA_LOSS, it is damaged; UNAVAILABLE, anything else.
  // `clock` judges which tokens' records have expired, and outlives the engine; null means the machine's.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RocksDbEngine>> Open(const std::string& path,
                                                                           size_t block_cache_bytes,
                                                                           const Clock* clock = nullptr);
  ~RocksDbEngine();
  RocksDbEngine(const RocksDbEngine&) = delete;
  RocksDbEngine& operator=(const RocksDbEngine&) = delete;

  // `snapshot` may be null: the latest state. What can be read is durable: RocksDB shows a write only
  // after its log record is synced.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key,
                                                               const rocksdb::Snapshot* snapshot) const;
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> NewIterator(Table table, const rocksdb::Snapshot* snapshot) const;

  // Writes all of `writes` as one atomic batch and syncs it to the disk.
  [[nodiscard]] absl::Status WriteDurably(const Overlay& writes);

  // Writes everything to files of its own, without what is deleted, overwritten or expired.
  [[nodiscard]] absl::Status Compact();

  [[nodiscard]] rocksdb::DB& db() const { return *db_; }

 private:
  explicit RocksDbEngine(const Clock* clock);

  [[nodiscard]] rocksdb::ColumnFamilyHandle* Handle(Table table) const { return handles_[static_cast<int>(table)]; }
  [[nodiscard]] absl::Status CheckFormat();

  const std::unique_ptr<rocksdb::CompactionFilter> token_filter_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kTableCount> handles_{};  // Owned by db_, given back before it closes.
};

// RocksDB's status as ours: corruption is DATA_LOSS, everything else UNAVAILABLE.
[[nodiscard]] absl::Status FromRocksDb(const rocksdb::Status& status);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_ENGINE_H_
