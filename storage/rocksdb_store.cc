#include "hapax/storage/rocksdb_store.h"

#include <utility>

#include "hapax/storage/group_commit.h"
#include "hapax/storage/rocksdb_engine.h"
#include "hapax/storage/rocksdb_transaction.h"
#include "hapax/storage/status_macros.h"
#include "rocksdb/snapshot.h"

namespace hapax {
namespace {

class EngineStore final : public RocksDbStore {
 public:
  EngineStore(std::unique_ptr<RocksDbEngine> engine, size_t max_waiting)
      : engine_(std::move(engine)), group_commit_(*engine_, max_waiting) {}

  void Execute(Body body, Done done) override { group_commit_.Execute(std::move(body), std::move(done)); }

  void Query(ReadBody body, Done done) override {
    absl::Status status;
    {
      rocksdb::ManagedSnapshot snapshot(&engine_->db());
      status = body(RocksDbTransaction(*engine_, snapshot.snapshot(), {}));
    }
    std::move(done)(std::move(status));
  }

  absl::Status Compact() override { return engine_->Compact(); }

 private:
  const std::unique_ptr<RocksDbEngine> engine_;
  GroupCommit group_commit_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RocksDbStore>> OpenRocksDbStore(const RocksDbStoreOptions& options) {
  HAPAX_ASSIGN_OR_RETURN(auto engine, RocksDbEngine::Open(options.path, options.block_cache_bytes, options.clock));
  return std::make_unique<EngineStore>(std::move(engine), options.max_waiting);
}

}  // namespace hapax
