#include "hapax/storage/draft.h"

#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/storage/format.h"

namespace hapax {

absl::StatusOr<std::optional<std::string>> DraftTransaction::Get(Table table, std::string_view key) const {
  if (const Overlay::Value* written = writes_.Find(table, key); written != nullptr) return *written;
  return base_.Get(table, key);
}

absl::Status DraftTransaction::Scan(Table table, const KeyRange& range, Visitor visit) const {
  if (range.empty()) return absl::OkStatus();
  const Overlay::Rows& rows = writes_.rows(table);
  auto row = rows.lower_bound(range.begin);
  const auto end = range.end.empty() ? rows.end() : rows.lower_bound(range.end);
  bool more = true;
  const auto visit_written = [&] {
    if (row->second.has_value()) more = visit(row->first, *row->second);
    ++row;
  };
  HAPAX_RETURN_IF_ERROR(base_.Scan(table, range, [&](std::string_view key, std::string_view value) {
    while (more && row != end && row->first < key) visit_written();
    if (!more) return false;
    if (row != end && row->first == key) {
      visit_written();
    } else {
      more = visit(key, value);
    }
    return more;
  }));
  while (more && row != end) visit_written();
  return absl::OkStatus();
}

void DraftTransaction::Put(Table table, std::string key, std::string value) {
  writes_.Write(table, std::move(key), std::move(value));
}

void DraftTransaction::Delete(Table table, std::string key) { writes_.Write(table, std::move(key), std::nullopt); }

void DraftTransaction::OnCommit(absl::AnyInvocable<void()> hook) { hooks_.push_back(std::move(hook)); }

void DraftTransaction::CommitTo(Transaction& txn) {
  for (const Table table : kAllTables) {
    for (const auto& [key, value] : writes_.rows(table)) {
      value.has_value() ? txn.Put(table, key, *value) : txn.Delete(table, key);
    }
  }
  writes_ = Overlay();
  for (auto& hook : std::exchange(hooks_, {})) txn.OnCommit(std::move(hook));
  txn.Refuse(refusal());
}

}  // namespace hapax
