#include "hapax/storage/service_table.h"

#include <utility>

#include "hapax/storage/key.h"

namespace hapax {

std::string ServiceTablePrefix(std::string_view service) { return KeyBuilder().String(service).Build(); }

absl::StatusOr<std::optional<std::string>> ServiceReads::Get(Table table, std::string_view key) const {
  if (table != Table::kResources) return txn_.Get(table, key);
  key_.assign(prefix_).append(key);
  return txn_.Get(table, key_);
}

absl::Status ServiceReads::Scan(Table table, const KeyRange& range, Visitor visit) const {
  if (table != Table::kResources) return txn_.Scan(table, range, visit);
  const KeyRange all = KeyRange::Prefix(std::string(prefix_));
  const KeyRange own = {.begin = all.begin + range.begin, .end = range.end.empty() ? all.end : all.begin + range.end};
  return txn_.Scan(table, own, [&](std::string_view key, std::string_view value) {
    return visit(key.substr(prefix_.size()), value);
  });
}

void ServiceTransaction::Put(Table table, std::string key, std::string value) {
  if (table == Table::kResources) key.insert(0, prefix_);
  txn_.Put(table, std::move(key), std::move(value));
}

void ServiceTransaction::Delete(Table table, std::string key) {
  if (table == Table::kResources) key.insert(0, prefix_);
  txn_.Delete(table, std::move(key));
}

void ServiceTransaction::OnCommit(absl::AnyInvocable<void()> hook) { txn_.OnCommit(std::move(hook)); }

}  // namespace hapax
