#include "hapax/storage/rocksdb/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/data_directory.h"
#include "hapax/storage/rocksdb/expiry_filter.h"
#include "hapax/storage/rocksdb/log.h"
#include "hapax/storage/rocksdb/synced_names.h"
#include "rocksdb/cache.h"
#include "rocksdb/convenience.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"

namespace hapax {
namespace {

constexpr double kBloomBitsPerKey = 10;
constexpr double kMemtableFilterShare = 0.02;  // Of the write buffer.
constexpr size_t kHintPrefixBytes = 4;
constexpr size_t kMaxLogBytes = size_t{256} << 20;
// The longest delay between two attempts to reopen the directory.
constexpr absl::Duration kMaxRetryDelay = absl::Seconds(8);

rocksdb::BlockBasedTableOptions TableOptions() {
  rocksdb::BlockBasedTableOptions table;
  // Most lookups are of rows that do not exist yet: a filter answers them without reading a block.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  // Keys share long prefixes, so an index that does not repeat them is a third as large.
  table.index_block_restart_interval = 16;
  return table;
}

// How table tokens is read. Its rows are looked up once or twice in their life, so cached blocks would only displace
// one another, at the price of a memory allocation each. Recently used rows are in the memtable or in the page cache of
// the operating system. Filters and indexes stay in memory, some 3 bytes a row.
rocksdb::BlockBasedTableOptions UncachedTableOptions() {
  rocksdb::BlockBasedTableOptions table = TableOptions();
  table.no_block_cache = true;
  return table;
}

// The service's name, and as many bytes of the service's own key as other tables use of theirs.
class ServiceRowHint final : public rocksdb::SliceTransform {
 public:
  [[nodiscard]] const char* Name() const override { return "hapax.ServiceRowHint"; }
  [[nodiscard]] rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    const std::string_view bytes = key.ToStringView();
    const size_t end = bytes.find(std::string_view("\0\1", 2));  // End of the name (key.h).
    const size_t size = (end == std::string_view::npos ? 0 : end + 2) + kHintPrefixBytes;
    return {key.data(), std::min(size, key.size())};
  }
  [[nodiscard]] bool InDomain(const rocksdb::Slice& /*key*/) const override { return true; }
};

rocksdb::Options EngineOptions(const RocksDbEngineOptions& engine, rocksdb::Env& env) {
  rocksdb::BlockBasedTableOptions table = TableOptions();
  table.block_cache = rocksdb::NewLRUCache(engine.block_cache_bytes);
  // Filters and indexes live in the cache here, so memory is bounded whatever the tables hold.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;

  rocksdb::Options options;
  options.env = &env;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // A token outside the cache costs the decompression of a block: LZ4 is the cheapest.
  options.compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = engine.write_buffer_bytes;
  options.max_total_wal_size = kMaxLogBytes;
  // The same filter for rows still in memory.
  options.memtable_prefix_bloom_size_ratio = kMemtableFilterShare;
  options.memtable_whole_key_filtering = true;
  // Rows written together mostly lie together: keys begin with kind, tenant or time. A memtable that remembers the last
  // insertion for each such prefix looks there first.
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewCappedPrefixTransform(kHintPrefixBytes));
  options.info_log = ForwardRocksDbLog(engine.log);
  // A crash may leave a half-written record at the end of the log; that record was never acknowledged. Any other damage
  // stops the start.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksDbEngine>> RocksDbEngine::Open(RocksDbEngineOptions options) {
  HAPAX_RETURN_IF_ERROR(MakeDirectory(options.path));
  std::unique_ptr<rocksdb::Env> env = WithSyncedNames(*options.env);
  rocksdb::Options rocksdb_options = EngineOptions(options, *env);
  RemoveProbe(options.path, rocksdb_options);
  // Compaction can wait, callers cannot. If it falls behind, RocksDB slows writes down.
  rocksdb_options.env->LowerThreadPoolCPUPriority(rocksdb::Env::LOW, rocksdb::CpuPriority::kLow).PermitUncheckedError();
  std::unique_ptr<RocksDbEngine> engine(
      new RocksDbEngine(std::move(options), std::move(env), std::move(rocksdb_options)));
  HAPAX_RETURN_IF_ERROR(engine->OpenDatabase(/*may_create=*/true));
  engine->recovery_ = std::thread([self = engine.get()] { self->RunRecovery(); });
  return engine;
}

RocksDbEngine::RocksDbEngine(RocksDbEngineOptions options, std::unique_ptr<rocksdb::Env> env,
                             rocksdb::Options rocksdb_options)
    : options_(std::move(options)),
      env_(std::move(env)),
      rocksdb_options_(std::move(rocksdb_options)),
      expiry_filter_(options_.expiry == nullptr ? nullptr : MakeExpiryFilter(*options_.expiry)),
      uncached_files_(rocksdb::NewBlockBasedTableFactory(UncachedTableOptions())),
      service_hints_(std::make_shared<ServiceRowHint>()),
      retry_delay_(options_.probe_interval) {}

RocksDbEngine::~RocksDbEngine() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
  }
  end_.Give();
  if (recovery_.joinable()) recovery_.join();
  if (database_ != nullptr) CloseDatabase();
}

absl::StatusOr<std::shared_ptr<Database>> RocksDbEngine::Current() const {
  absl::MutexLock lock(&mu_);
  if (current_ == nullptr) return absl::UnavailableError("the data directory is being opened afresh");
  return current_;
}

// Opens the database and publishes it.
absl::Status RocksDbEngine::OpenDatabase(bool may_create) {
  {
    absl::MutexLock lock(&mu_);
    failure_ = absl::OkStatus();
  }
  HAPAX_ASSIGN_OR_RETURN(
      database_, Database::Open({.path = options_.path,
                                 .options = rocksdb_options_,
                                 .may_create = may_create,
                                 .format_1_service = options_.format_1_service,
                                 .last_write = last_write_,
                                 .expiring_table = options_.expiry == nullptr ? std::nullopt
                                                                              : std::optional(options_.expiry->table()),
                                 .expiry_filter = expiry_filter_.get(),
                                 .uncached_files = uncached_files_,
                                 .service_hints = service_hints_,
                                 .on_failure = [this](const absl::Status& why) {
                                   absl::MutexLock lock(&mu_);
                                   failure_ = why;
                                 }}));
  last_write_ = database_->last_write();
  released_ = std::make_shared<absl::Notification>();
  absl::MutexLock lock(&mu_);
  // The last holder does not close the database itself, since closing may take long.
  current_ = std::shared_ptr<Database>(database_.get(), [released = released_](Database*) { released->Notify(); });
  return absl::OkStatus();
}

// Stops handing the database out, and closes it once nobody holds it.
void RocksDbEngine::CloseDatabase() {
  {
    absl::MutexLock lock(&mu_);
    current_ = nullptr;
  }
  released_->WaitForNotification();
  last_write_ = database_->last_write();
  database_ = nullptr;
}

void RocksDbEngine::RunRecovery() {
  while (AwaitFailure()) {
    // A database that failed before it took a write is no progress: the next attempt waits longer.
    if (database_->last_write() > last_write_) retry_delay_ = options_.probe_interval;
    std::string last_error;
    while (Pause(retry_delay_)) {
      const absl::Status status = Recover();
      if (status.ok()) {
        Log("writes resumed: the data directory was opened afresh");
        break;
      }
      std::string error = status.ToString();
      if (error != last_error) Log(absl::StrCat("writes still suspended: ", error));
      last_error = std::move(error);
    }
  }
}

// Waits until the database has failed. Returns false when the engine is closing.
bool RocksDbEngine::AwaitFailure() {
  absl::Status failure;
  {
    absl::MutexLock lock(&mu_);
    const auto failed_or_closing = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || !failure_.ok(); };
    mu_.Await(absl::Condition(&failed_or_closing));
    if (closing_) return false;
    failure = failure_;
  }
  Log(absl::StrCat("writes suspended: ", failure.ToString()));
  return true;
}

absl::Status RocksDbEngine::Recover() {
  HAPAX_RETURN_IF_ERROR(ProbeDirectory(options_.path, rocksdb_options_));
  if (database_ != nullptr) {
    // Closing waits for background work, and RocksDB pauses for a second after a background error. Waiting here keeps
    // the database readable meanwhile.
    rocksdb::CancelAllBackgroundWork(&database_->db(), /*wait=*/true);
    CloseDatabase();
  }
  retry_delay_ = std::min(2 * retry_delay_, kMaxRetryDelay);
  return OpenDatabase(/*may_create=*/false);
}

// Returns false when the engine is closing.
bool RocksDbEngine::Pause(absl::Duration time) { return !end_.AwaitFor(time); }

void RocksDbEngine::Log(std::string_view line) const {
  if (options_.log != nullptr) options_.log(line);
}

}  // namespace hapax
