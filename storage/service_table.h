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
// the rows of two services never collide, whatever keys they choose. The other tables belong to Hapax.
//
//   ServiceTransaction own(txn, prefix);
//   own.Put(Table::kResources, "account", value);
//
// Thread-safety: as of the transaction. Lifetime: transaction and prefix outlive it.
// Errors: those of the transaction; INTERNAL for another table, which makes the transaction fail, too.
class ServiceReads final : public ReadTransaction {
 public:
  ServiceReads(const ReadTransaction& txn, std::string_view prefix) : txn_(txn), prefix_(prefix) {}

  // The transaction with all tables.
  [[nodiscard]] const ReadTransaction& all_tables() const { return txn_; }

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;

 private:
  const ReadTransaction& txn_;
  const std::string_view prefix_;
  mutable std::string key_;  // The key for Get, kept to reuse its memory.
};

// Is told of OnCommit hooks that throw. Their commits stand. Thread-safety: safe.
class HookErrors {
 public:
  virtual ~HookErrors() = default;
  virtual void OnHookError(std::string_view owner, const absl::Status& error) const = 0;
};

// Whose OnCommit hooks these are, and who is told of one that throws; both outlive the hooks.
struct HookOwner {
  std::string_view name;
  const HookErrors* errors = nullptr;  // Null: nobody.
};

class ServiceTransaction final : public Transaction {
 public:
  ServiceTransaction(Transaction& txn, std::string_view prefix, const HookOwner& hook_owner = {})
      : txn_(txn), reads_(txn, prefix), prefix_(prefix), hook_owner_(hook_owner) {}
  // Passes a refusal on to the transaction.
  ~ServiceTransaction() override { txn_.Refuse(refusal()); }
  ServiceTransaction(const ServiceTransaction&) = delete;
  ServiceTransaction& operator=(const ServiceTransaction&) = delete;

  [[nodiscard]] std::string_view prefix() const { return prefix_; }
  // The transaction with all tables.
  [[nodiscard]] Transaction& all_tables() { return txn_; }
  [[nodiscard]] const ReadTransaction& all_tables() const { return txn_; }

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
  const HookOwner hook_owner_;
};

// The transaction that a service's stands on, else `txn` itself: for the parts of Hapax that services call within their
// handlers, and that keep rows in tables of their own.
[[nodiscard]] Transaction& AllTables(Transaction& txn);
[[nodiscard]] const ReadTransaction& AllTables(const ReadTransaction& txn);

}  // namespace hapax

#endif  // HAPAX_STORAGE_SERVICE_TABLE_H_
