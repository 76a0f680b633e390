#ifndef HAPAX_STORAGE_ROCKSDB_TRANSACTION_H_
#define HAPAX_STORAGE_ROCKSDB_TRANSACTION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hapax/storage/database.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/store.h"

namespace hapax {

// A transaction on a database: its own writes are staged, and reads look through them, then through
// `layers`, newest first, then into the database.
//
// Lifetime: database, snapshot and layers outlive it.
class RocksDbTransaction final : public Transaction {
 public:
  RocksDbTransaction(const Database& database, const rocksdb::Snapshot* snapshot,
                     absl::Span<const Overlay* const> layers);

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;
  void Put(Table table, std::string key, std::string value) override;
  void Delete(Table table, std::string key) override;
  void OnCommit(absl::AnyInvocable<void()> hook) override;

  // What the body did, for the store to commit.
  [[nodiscard]] Overlay& writes() { return writes_; }
  [[nodiscard]] std::vector<absl::AnyInvocable<void()>>& hooks() { return hooks_; }

 private:
  const Database& database_;
  const rocksdb::Snapshot* const snapshot_;
  std::vector<const Overlay*> layers_;  // Newest first; writes_ is the first.
  Overlay writes_;
  std::vector<absl::AnyInvocable<void()>> hooks_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_TRANSACTION_H_
