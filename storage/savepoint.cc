#include "hapax/storage/savepoint.h"

#include <utility>

#include "hapax/base/status_macros.h"

namespace hapax {

absl::StatusOr<std::optional<std::string>> Savepoint::Get(Table table, std::string_view key) const {
  if (const Overlay::Value* written = writes_.Find(table, key); written != nullptr) return *written;
  return txn_.Get(table, key);
}

// The part's rows go between those of the transaction, and in the place of those of the same key.
absl::Status Savepoint::Scan(Table table, const KeyRange& range, Visitor visit) const {
  if (range.empty()) return absl::OkStatus();
  const Overlay::Rows& rows = writes_.rows(table);
  auto row = rows.lower_bound(range.begin);
  const auto end = range.end.empty() ? rows.end() : rows.lower_bound(range.end);
  bool wants_more = true;
  const auto visit_own = [&] {
    if (row->second.has_value()) wants_more = visit(row->first, *row->second);
    ++row;
  };
  HAPAX_RETURN_IF_ERROR(txn_.Scan(table, range, [&](std::string_view key, std::string_view value) {
    while (wants_more && row != end && row->first < key) visit_own();
    if (!wants_more) return false;
    if (row != end && row->first == key) {
      visit_own();
    } else {
      wants_more = visit(key, value);
    }
    return wants_more;
  }));
  while (wants_more && row != end) visit_own();
  return absl::OkStatus();
}

void Savepoint::Put(Table table, std::string key, std::string value) {
  writes_.Write(table, std::move(key), std::move(value));
}

void Savepoint::Delete(Table table, std::string key) { writes_.Write(table, std::move(key), std::nullopt); }

void Savepoint::OnCommit(absl::AnyInvocable<void()> hook) { hooks_.push_back(std::move(hook)); }

void Savepoint::Keep() {
  for (int table = 0; table < kTableCount; ++table) {
    for (const auto& [key, value] : writes_.rows(static_cast<Table>(table))) {
      if (value.has_value()) {
        txn_.Put(static_cast<Table>(table), key, *value);
      } else {
        txn_.Delete(static_cast<Table>(table), key);
      }
    }
  }
  writes_ = Overlay();
  for (auto& hook : std::exchange(hooks_, {})) txn_.OnCommit(std::move(hook));
}

}  // namespace hapax
