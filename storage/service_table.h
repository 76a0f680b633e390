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

// The prefix of the keys of a service's rows in Table::kResources. `service` is its full name.
[[nodiscard]] std::string ServiceTablePrefix(std::string_view service);

// A transaction as one service sees it: Table::kResources has only the service's rows, under the service's own keys. So
// the rows of two services never collide, whatever keys they choose. The other tables are unchanged.
//
//   ServiceTransaction own(txn, prefix);
//   own.Put(Table::kResources, "account", value);
//
// Thread-safety, errors: those of the wrapped transaction. Lifetime: transaction and prefix outlive it.
class ServiceReads final : public ReadTransaction {
 public:
  ServiceReads(const ReadTransaction& txn, std::string_view prefix) : txn_(txn), prefix_(prefix) {}

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;

 private:
  const ReadTransaction& txn_;
  const std::string_view prefix_;
  mutable std::string key_;  // The key for Get, kept to reuse its memory.
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
