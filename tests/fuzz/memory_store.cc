#include "hapax/tests/fuzz/memory_store.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace hapax {
namespace {

class MemoryTransaction final : public Transaction {
 public:
  explicit MemoryTransaction(MemoryStore::Tables tables) : tables_(std::move(tables)) {}

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    const auto row = rows(table).find(key);
    if (row == rows(table).end()) return std::nullopt;
    return row->second;
  }
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override {
    const MemoryStore::Rows& of_table = rows(table);
    for (auto row = of_table.lower_bound(range.begin); row != of_table.end(); ++row) {
      if (!range.end.empty() && row->first >= range.end) break;
      if (!visit(row->first, row->second)) break;
    }
    return absl::OkStatus();
  }
  void Put(Table table, std::string key, std::string value) override {
    tables_[static_cast<int>(table)].insert_or_assign(std::move(key), std::move(value));
  }
  void Delete(Table table, std::string key) override { tables_[static_cast<int>(table)].erase(key); }
  void OnCommit(absl::AnyInvocable<void()> hook) override { hooks_.push_back(std::move(hook)); }

  MemoryStore::Tables TakeTables() { return std::move(tables_); }
  void RunHooks() {
    for (auto& hook : hooks_) hook();
  }

 private:
  [[nodiscard]] const MemoryStore::Rows& rows(Table table) const { return tables_[static_cast<int>(table)]; }

  MemoryStore::Tables tables_;
  std::vector<absl::AnyInvocable<void()>> hooks_;
};

}  // namespace

void MemoryStore::Execute(Body body, Done done, std::string_view /*party*/) {
  absl::ReleasableMutexLock lock(&mu_);
  MemoryTransaction txn(tables_);
  absl::Status status = body(txn);
  if (status.ok()) tables_ = txn.TakeTables();
  lock.Release();
  if (status.ok()) txn.RunHooks();
  std::move(done)(std::move(status));
}

void MemoryStore::Query(ReadBody body, Done done) {
  const MemoryTransaction txn(tables());
  std::move(done)(body(txn));
}

}  // namespace hapax
