#ifndef HAPAX_STORAGE_ROCKSDB_ENGINE_H_
#define HAPAX_STORAGE_ROCKSDB_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/rocksdb/database.h"
#include "rocksdb/compaction_filter.h"
#include "rocksdb/env.h"
#include "rocksdb/table.h"

namespace hapax {

struct RocksDbEngineOptions {
  // The data directory.
  std::string path;
  // The full name of the service whose rows a directory of format 1 has; empty: it has no rows of a service.
  std::string format_1_service;
  // Memory for blocks, filters and indexes of all tables but tokens, whose filters and indexes take 3 bytes a row.
  // Bytes.
  size_t block_cache_bytes = size_t{256} << 20;
  // How much a table collects in memory before it is written to a file. Bytes.
  size_t write_buffer_bytes = size_t{64} << 20;
  // Gets a line about each problem, on any thread; must not block. May be null.
  std::function<void(std::string_view line)> log;
  // See RocksDbStoreOptions. Outlives the engine.
  const ExpiryRule* expiry = nullptr;
  // How often a disk that could not be written is tried again.
  absl::Duration probe_interval = absl::Milliseconds(250);
  // The file system, into which tests inject faults. Outlives the engine.
  rocksdb::Env* env = rocksdb::Env::Default();
};

// A data directory with its open database, which is reopened when it has failed. Internal to storage: no header outside
// the folder includes RocksDB's.
//
// When the database fails (database.h), a thread probes the directory until it can be written again. Until then the old
// database serves reads. Then the thread stops handing it out, waits until nobody holds it, closes it and reopens the
// directory. A failed write is not in the new database, unless the process died before that was opened.
//
// Thread-safety: safe.
// Lifetime: nobody may hold a database when the engine is destroyed.
class RocksDbEngine {
 public:
  // Opens the directory; creates it if it does not exist.
  // Errors: those of Database::Open; PERMISSION_DENIED, it cannot be created.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RocksDbEngine>> Open(RocksDbEngineOptions options);
  ~RocksDbEngine();
  RocksDbEngine(const RocksDbEngine&) = delete;
  RocksDbEngine& operator=(const RocksDbEngine&) = delete;

  // The open database, to hold for one transaction or one group. It may have failed.
  // Errors: UNAVAILABLE, it is being reopened.
  [[nodiscard]] absl::StatusOr<std::shared_ptr<Database>> Current() const;

 private:
  RocksDbEngine(RocksDbEngineOptions options, std::unique_ptr<rocksdb::Env> env, rocksdb::Options rocksdb_options);

  [[nodiscard]] absl::Status OpenDatabase(bool may_create);
  void CloseDatabase();

  void RunRecovery();
  [[nodiscard]] bool AwaitFailure();
  [[nodiscard]] absl::Status Recover();
  [[nodiscard]] bool Pause(absl::Duration time);
  void Log(std::string_view line) const;

  const RocksDbEngineOptions options_;
  const std::unique_ptr<rocksdb::Env> env_;
  const rocksdb::Options rocksdb_options_;
  const std::unique_ptr<rocksdb::CompactionFilter> expiry_filter_;
  const std::shared_ptr<rocksdb::TableFactory> uncached_files_;
  const std::shared_ptr<const rocksdb::SliceTransform> service_hints_;

  // Used by the recovery thread alone, while it runs.
  std::unique_ptr<Database> database_;            // Null while closed.
  std::shared_ptr<absl::Notification> released_;  // Notified by the last holder of database_.
  std::optional<uint64_t> last_write_;            // The last successful write when database_ was opened or closed.
  absl::Duration retry_delay_;

  mutable absl::Mutex mu_;
  std::shared_ptr<Database> current_ ABSL_GUARDED_BY(mu_);  // database_, for others to hold; null while closed.
  absl::Status failure_ ABSL_GUARDED_BY(mu_);               // Why database_ takes no writes.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;

  StopSignal end_;  // Given together with closing_.
  std::thread recovery_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_ENGINE_H_
