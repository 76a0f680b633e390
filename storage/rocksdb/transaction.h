#ifndef HAPAX_STORAGE_ROCKSDB_TRANSACTION_H_
#define HAPAX_STORAGE_ROCKSDB_TRANSACTION_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/rocksdb/database.h"
#include "hapax/storage/store.h"

namespace hapax {

// A transaction on a database. Writes are staged. Reads look through the writes, then `layers`, newest first, then the
// database. Once it would read more than `max_bytes` of keys and values, it stops reading: is_beyond().
//
// Errors: OUT_OF_RANGE for reads beyond `max_bytes`.
// Lifetime: database, snapshot and layers outlive it.
class RocksDbTransaction final : public Transaction {
 public:
  RocksDbTransaction(const Database& database, const rocksdb::Snapshot* snapshot,
                     absl::Span<const Overlay* const> layers, int64_t max_bytes = std::numeric_limits<int64_t>::max());

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;
  void Put(Table table, std::string key, std::string value) override;
  void Delete(Table table, std::string key) override;
  void OnCommit(absl::AnyInvocable<void()> hook) override;

  // The effects of the body, for the store to commit.
  [[nodiscard]] Overlay& writes() { return writes_; }
  [[nodiscard]] std::vector<absl::AnyInvocable<void()>>& hooks() { return hooks_; }
  // The bytes of keys and values read and written so far.
  [[nodiscard]] int64_t bytes() const { return bytes_read_ + writes_.bytes(); }
  [[nodiscard]] bool is_beyond() const { return is_beyond_; }

 private:
  [[nodiscard]] absl::Status CountRead(size_t bytes) const;
  [[nodiscard]] absl::Status NoteBeyond() const;

  const Database& database_;
  const rocksdb::Snapshot* const snapshot_;
  const int64_t max_bytes_;
  std::vector<const Overlay*> layers_;  // Newest first, beginning with writes_.
  Overlay writes_;
  std::vector<absl::AnyInvocable<void()>> hooks_;
  mutable int64_t bytes_read_ = 0;
  mutable bool is_beyond_ = false;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_TRANSACTION_H_
