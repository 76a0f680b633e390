#include "hapax/storage/rocksdb/store.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/backup.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/storage/rocksdb/group_commit.h"
#include "hapax/storage/rocksdb/transaction.h"
#include "rocksdb/snapshot.h"

namespace hapax {
namespace {

constexpr int64_t kAnyLength = std::numeric_limits<int64_t>::max();

class EngineStore final : public Store {
 public:
  EngineStore(std::unique_ptr<RocksDbEngine> engine, size_t max_waiting)
      : engine_(std::move(engine)), group_commit_(*engine_, max_waiting) {}

  using Store::Execute;
  void Execute(Body body, Done done, std::string_view party) override {
    group_commit_.Execute(std::move(body), std::move(done), party);
  }

  void Query(ReadBody body, Done done) override { std::move(done)(*Read(body, kAnyLength)); }

  bool TryQuery(int64_t max_bytes, ReadBody& body, Done& done) override {
    std::optional<absl::Status> status = Read(body, max_bytes);
    if (!status.has_value()) return false;
    std::move(done)(*std::move(status));
    return true;
  }

  absl::Status Compact() override {
    HAPAX_ASSIGN_OR_RETURN(const std::shared_ptr<Database> database, engine_->Current());
    return database->Compact();
  }

  absl::StatusOr<Backup> CreateBackup(const std::string& directory, const std::atomic<bool>& cancelled) override {
    HAPAX_ASSIGN_OR_RETURN(const std::shared_ptr<Database> database, engine_->Current());
    if (database->failed()) return absl::UnavailableError("writes are suspended: an earlier one failed");
    return hapax::CreateBackup(*database, directory, cancelled);
  }
  absl::StatusOr<BackupList> ListBackups(const std::string& directory) const override {
    return hapax::ListBackups(directory);
  }

 private:
  // Returns nullopt when the body would read more than `max_bytes`.
  std::optional<absl::Status> Read(ReadBody& body, int64_t max_bytes) const {
    HAPAX_ASSIGN_OR_RETURN(const std::shared_ptr<Database> database, engine_->Current());
    rocksdb::ManagedSnapshot snapshot(&database->db());
    const RocksDbTransaction transaction(*database, snapshot.snapshot(), {}, max_bytes);
    absl::Status status = body(transaction);
    if (transaction.is_beyond()) return std::nullopt;
    return status;
  }

  const std::unique_ptr<RocksDbEngine> engine_;
  GroupCommit group_commit_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRocksDbStore(const RocksDbStoreOptions& options) {
  HAPAX_ASSIGN_OR_RETURN(auto engine, RocksDbEngine::Open({.path = options.path,
                                                           .format_1_service = options.format_1_service,
                                                           .block_cache_bytes = options.block_cache_bytes,
                                                           .log = options.log,
                                                           .expiry = options.expiry}));
  return MakeRocksDbStore(std::move(engine), options.max_waiting);
}

std::unique_ptr<Store> MakeRocksDbStore(std::unique_ptr<RocksDbEngine> engine, size_t max_waiting) {
  return std::make_unique<EngineStore>(std::move(engine), max_waiting);
}

}  // namespace hapax
