#include "hapax/storage/service_table.h"

#include <utility>

#include "hapax/base/contain.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store_error.h"

namespace hapax {

namespace {

absl::Status NotItsTable() {
  return StoreError(absl::InternalError("a service's handlers may reach Table::kResources alone"));
}

}  // namespace

std::string ServiceTablePrefix(std::string_view service) { return KeyBuilder().String(service).Build(); }

absl::StatusOr<std::optional<std::string>> ServiceReads::Get(Table table, std::string_view key) const {
  if (table != Table::kResources) return NotItsTable();
  key_.assign(prefix_).append(key);
  return txn_.Get(table, key_);
}

absl::Status ServiceReads::Scan(Table table, const KeyRange& range, Visitor visit) const {
  if (table != Table::kResources) return NotItsTable();
  const KeyRange all = KeyRange::Prefix(std::string(prefix_));
  const KeyRange own = {.begin = all.begin + range.begin, .end = range.end.empty() ? all.end : all.begin + range.end};
  return txn_.Scan(table, own, [&](std::string_view key, std::string_view value) {
    return visit(key.substr(prefix_.size()), value);
  });
}

void ServiceTransaction::Put(Table table, std::string key, std::string value) {
  if (table != Table::kResources) return Refuse(NotItsTable());
  key.insert(0, prefix_);
  txn_.Put(table, std::move(key), std::move(value));
}

void ServiceTransaction::Delete(Table table, std::string key) {
  if (table != Table::kResources) return Refuse(NotItsTable());
  key.insert(0, prefix_);
  txn_.Delete(table, std::move(key));
}

void ServiceTransaction::OnCommit(absl::AnyInvocable<void()> hook) {
  txn_.OnCommit([owner = hook_owner_, hook = std::move(hook)]() mutable {
    const absl::Status status = Contain(owner.name, hook);
    if (!status.ok() && owner.errors != nullptr) owner.errors->OnHookError(owner.name, status);
  });
}

Transaction& AllTables(Transaction& txn) {
  auto* const service = dynamic_cast<ServiceTransaction*>(&txn);
  return service == nullptr ? txn : service->all_tables();
}

const ReadTransaction& AllTables(const ReadTransaction& txn) {
  if (auto* const service = dynamic_cast<const ServiceTransaction*>(&txn)) return service->all_tables();
  if (auto* const service = dynamic_cast<const ServiceReads*>(&txn)) return service->all_tables();
  return txn;
}

}  // namespace hapax
