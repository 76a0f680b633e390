#ifndef HAPAX_STORAGE_SAVEPOINT_H_
#define HAPAX_STORAGE_SAVEPOINT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/store.h"

namespace hapax {

// Part of a transaction that is kept as a whole, or leaves nothing while the rest of the transaction goes on.
//
//   Savepoint part(txn);
//   if (Change(part).ok()) part.Keep();
//
// A read sees the transaction's writes and the part's own. The transaction sees the part's writes and hooks once they
// are kept.
//
// Thread-safety: for one thread at a time. Errors: the transaction's.
// Lifetime: the transaction outlives it, and is not written to meanwhile.
class Savepoint final : public Transaction {
 public:
  explicit Savepoint(Transaction& txn) : txn_(txn) {}

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;
  void Put(Table table, std::string key, std::string value) override;
  void Delete(Table table, std::string key) override;
  void OnCommit(absl::AnyInvocable<void()> hook) override;

  // Hands everything over to the transaction; afterwards the part is empty.
  void Keep();

 private:
  Transaction& txn_;
  Overlay writes_;
  std::vector<absl::AnyInvocable<void()>> hooks_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_SAVEPOINT_H_
