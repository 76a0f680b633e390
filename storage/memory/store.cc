#include "hapax/storage/memory/store.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/turn_queue.h"
#include "hapax/storage/draft.h"
#include "hapax/storage/memory/tables.h"
#include "hapax/storage/overlay.h"

namespace hapax {
namespace {

constexpr int64_t kAnyLength = std::numeric_limits<int64_t>::max();

// Reads of one snapshot, up to `max_bytes` of keys and values. Errors: OUT_OF_RANGE for reads beyond that.
class SnapshotReads final : public ReadTransaction {
 public:
  explicit SnapshotReads(const MemoryTables::Snapshot& snapshot, int64_t max_bytes = kAnyLength)
      : snapshot_(snapshot), max_bytes_(max_bytes) {}

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    const MemoryTables::Rows& rows = snapshot_.rows(table);
    const auto row = rows.find(key);
    HAPAX_RETURN_IF_ERROR(Count(key.size() + (row == rows.end() ? 0 : row->second.size())));
    if (row == rows.end()) return std::optional<std::string>();
    return row->second;
  }

  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override {
    if (range.empty()) return absl::OkStatus();
    const MemoryTables::Rows& rows = snapshot_.rows(table);
    const auto end = range.end.empty() ? rows.end() : rows.lower_bound(range.end);
    for (auto row = rows.lower_bound(range.begin); row != end; ++row) {
      HAPAX_RETURN_IF_ERROR(Count(row->first.size() + row->second.size()));
      if (!visit(row->first, row->second)) break;
    }
    return absl::OkStatus();
  }

  [[nodiscard]] int64_t bytes() const { return bytes_; }
  [[nodiscard]] bool is_beyond() const { return bytes_ > max_bytes_; }

 private:
  [[nodiscard]] absl::Status Count(size_t bytes) const {
    bytes_ += static_cast<int64_t>(bytes);
    return is_beyond() ? absl::OutOfRangeError("the query may not read that much") : absl::OkStatus();
  }

  const MemoryTables::Snapshot& snapshot_;
  const int64_t max_bytes_;
  mutable int64_t bytes_ = 0;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(MemoryStoreOptions options)
      : tables_(std::move(options.tables)),
        max_waiting_(options.max_waiting),
        expiry_(options.expiry),
        thread_([this] { RunTransactions(); }) {}

  ~MemoryStore() override {
    {
      absl::MutexLock lock(&mu_);
      closing_ = true;
    }
    thread_.join();
  }

  using Store::Execute;
  void Execute(Body body, Done done, std::string_view party) override {
    absl::Status refusal;
    {
      absl::MutexLock lock(&mu_);
      if (closing_) {
        refusal = absl::UnavailableError("the store is closing");
      } else if (!waiting_.HasRoom(party, max_waiting_)) {
        refusal = absl::ResourceExhaustedError("too many transactions are waiting");
      } else {
        return waiting_.Push(party, {.party = std::string(party), .body = std::move(body), .done = std::move(done)});
      }
    }
    std::move(done)(std::move(refusal));
  }

  void Query(ReadBody body, Done done) override { std::move(done)(*Read(body, kAnyLength)); }

  bool TryQuery(int64_t max_bytes, ReadBody& body, Done& done) override {
    std::optional<absl::Status> status = Read(body, max_bytes);
    if (!status.has_value()) return false;
    std::move(done)(*std::move(status));
    return true;
  }

  absl::Status Compact() override {
    if (expiry_ != nullptr) tables_->Apply(*expiry_);
    return absl::OkStatus();
  }

 private:
  // A waiting transaction.
  struct Task {
    std::string party;
    Body body;
    Done done;
  };

  // Returns nullopt if the body would read more than `max_bytes`.
  std::optional<absl::Status> Read(ReadBody& body, int64_t max_bytes) const {
    const MemoryTables::Snapshot snapshot = tables_->Read();
    const SnapshotReads reads(snapshot, max_bytes);
    absl::Status status = body(reads);
    if (reads.is_beyond()) return std::nullopt;
    return status;
  }

  void RunTransactions() {
    const auto has_some = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || !waiting_.empty(); };
    while (true) {
      std::optional<Task> task;
      {
        absl::MutexLock lock(&mu_);
        mu_.Await(absl::Condition(&has_some));
        if (waiting_.empty()) return;
        task = waiting_.Pop();
      }
      Run(*std::move(task));
    }
  }

  void Run(Task task) {
    absl::Status status;
    Overlay writes;
    std::vector<absl::AnyInvocable<void()>> hooks;
    {
      const MemoryTables::Snapshot snapshot = tables_->Read();
      const SnapshotReads reads(snapshot);
      DraftTransaction draft(reads);
      status = task.body(draft);
      if (status.ok()) status = draft.refusal();
      Charge(task.party, reads.bytes() + draft.writes().bytes());
      if (status.ok()) {
        writes = std::move(draft.writes());
        hooks = std::move(draft.hooks());
      }
    }
    if (!writes.empty()) tables_->Write(writes);
    for (auto& hook : hooks) hook();
    std::move(task.done)(std::move(status));
  }

  void Charge(std::string_view party, int64_t bytes) {
    constexpr int64_t kPaidBytes = TurnQueue<Task>::kTurnBytes;  // Already charged for its turn.
    absl::MutexLock lock(&mu_);
    if (bytes > kPaidBytes) waiting_.Charge(party, bytes - kPaidBytes);
  }

  const std::shared_ptr<MemoryTables> tables_;
  const size_t max_waiting_;
  const ExpiryRule* const expiry_;

  absl::Mutex mu_;
  TurnQueue<Task> waiting_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // Last, since it uses the other members.
};

}  // namespace

std::shared_ptr<MemoryTables> MakeMemoryTables() { return std::make_shared<MemoryTables>(); }

std::unique_ptr<Store> MakeMemoryStore(MemoryStoreOptions options) {
  if (options.tables == nullptr) options.tables = MakeMemoryTables();
  return std::make_unique<MemoryStore>(std::move(options));
}

}  // namespace hapax
