#ifndef HAPAX_STORAGE_DRAFT_H_
#define HAPAX_STORAGE_DRAFT_H_

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

// A transaction within another one, or on a read-only state. It buffers its writes and hooks; its owner commits or
// drops them. A read sees the buffered writes first, then `base`.
//
//   DraftTransaction part(txn);
//   if (Change(part).ok()) part.CommitTo(txn);
//
// Thread-safety, errors: those of `base`. Lifetime: `base` outlives it, and is not written to meanwhile.
class DraftTransaction final : public Transaction {
 public:
  explicit DraftTransaction(const ReadTransaction& base) : base_(base) {}

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;
  void Put(Table table, std::string key, std::string value) override;
  void Delete(Table table, std::string key) override;
  void OnCommit(absl::AnyInvocable<void()> hook) override;

  // Moves writes, hooks and a refusal to `txn`. The draft is empty afterwards.
  void CommitTo(Transaction& txn);

  [[nodiscard]] Overlay& writes() { return writes_; }
  [[nodiscard]] std::vector<absl::AnyInvocable<void()>>& hooks() { return hooks_; }

 private:
  const ReadTransaction& base_;
  Overlay writes_;
  std::vector<absl::AnyInvocable<void()>> hooks_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_DRAFT_H_
