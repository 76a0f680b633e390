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
  // The full name of the service whose rows a directory of format 1 has; empty: it has none of a service.
  std::string format_1_service;
  // Memory for blocks, filters and indexes of all tables but tokens, whose take 3 bytes a row. Bytes.
  size_t block_cache_bytes = size_t{256} << 20;
  // What a table gathers in memory before it is written to a file. Bytes.
  size_t write_buffer_bytes = size_t{64} << 20;
  // Gets a line about what goes wrong, on any thread; must not block. May be null.
  std::function<void(std::string_view line)> log;
  // As of RocksDbStoreOptions. Outlives the engine.
  const ExpiryRule* expiry = nullptr;
  // How often it is tried whether the disk can be written again, once it could not.
  absl::Duration probe_interval = absl::Milliseconds(250);
  // Where the files are; for tests, whose faults it injects. Outlives the engine.
  rocksdb::Env* env = rocksdb::Env::Default();
};

// A data directory: its open database, and another one when that has failed. Internal to storage: no header
// outside the folder includes RocksDB's.
//
// When the database fails (database.h), a thread probes the directory until it can be written again. Only then
// does it stop handing out the old database, wait until nobody holds it, close it and open the directory afresh: in
// the meantime what was committed can be read. Nothing is in two databases: a write that failed is not in the next
// one, unless the process died before that was opened.
//
// Thread-safety: safe.
// Lifetime: nobody holds a database any more when it is destroyed.
class RocksDbEngine {
 public:
  // Opens the directory, and creates it when it does not exist.
  // Errors: as Database::Open; PERMISSION_DENIED, it cannot be created.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RocksDbEngine>> Open(RocksDbEngineOptions options);
  ~RocksDbEngine();
  RocksDbEngine(const RocksDbEngine&) = delete;
  RocksDbEngine& operator=(const RocksDbEngine&) = delete;

  // The open database, to be held for one transaction or one group of them. It may have failed.
  // Errors: UNAVAILABLE, it is being opened afresh.
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

  // Only for the thread that recovers, while there is one.
  std::unique_ptr<Database> database_;          // Null: closed, and not open again yet.
  std::shared_ptr<absl::Notification> let_go_;  // By the last who held database_.
  std::optional<uint64_t> last_write_;          // That succeeded, before database_ was opened or was closed.
  absl::Duration retry_delay_;

  mutable absl::Mutex mu_;
  std::shared_ptr<Database> current_ ABSL_GUARDED_BY(mu_);  // database_, for others to hold; null: not just now.
  absl::Status failure_ ABSL_GUARDED_BY(mu_);               // Why database_ takes no writes.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;

  StopSignal end_;  // Given when closing_.
  std::thread recovery_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_ENGINE_H_
