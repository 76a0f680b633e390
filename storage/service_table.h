#ifndef HAPAX_STORAGE_SERVICE_TABLE_H_
#define HAPAX_STORAGE_SERVICE_TABLE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/store.h"

namespace hapax {

// What the keys of a service's rows begin with in Table::kResources. `service` is its full name.
[[nodiscard]] std::string ServiceTablePrefix(std::string_view service);

// A transaction as one service sees it: in Table::kResources there are only its own rows, under the keys that it gave
// them. So no two services' rows meet, whatever keys they choose. The other tables are as they are.
//
//   ServiceTransaction own(txn, prefix);
//   own.Put(Table::kResources, "account", value);
//
// Thread-safety, errors: as of what it stands on. Lifetime: transaction and prefix outlive it.
class ServiceReads final : public ReadTransaction {
 public:
  ServiceReads(const ReadTransaction& txn, std::string_view prefix) : txn_(txn), prefix_(prefix) {}

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;

 private:
  const ReadTransaction& txn_;
  const std::string_view prefix_;
  mutable std::string key_;  // For Get, so that one allocation does for all.
};

class ServiceTransaction final : public Transaction {
 public:
  ServiceTransaction(Transaction& txn, std::string_view prefix) : txn_(txn), reads_(txn, prefix), prefix_(prefix) {}

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    return reads_.Get(table, key);
  }
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override {
    return reads_.Scan(table, range, visit);
  }
  void Put(Table table, std::string key, std::string value) override;
  void Delete(Table table, std::string key) override;
  void OnCommit(absl::AnyInvocable<void()> hook) override;

 private:
  Transaction& txn_;
  const ServiceReads reads_;
  const std::string_view prefix_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_SERVICE_TABLE_H_
