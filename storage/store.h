#ifndef HAPAX_STORAGE_STORE_H_
#define HAPAX_STORAGE_STORE_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/storage/key.h"

namespace hapax {

class SqlConnection;

// The tables of a store. Each is an ordered map from key bytes to value bytes. Both may be any bytes; an empty value is
// still a row.
enum class Table {
  kMeta,        // What a store and its servers record about themselves (format.h).
  kTokens,      // The records of client tokens.
  kResources,   // The rows of hosted services, each in a table of its own within (service_table.h).
  kWork,        // Asynchronous work that a commit started and that is not finished.
  kOperations,  // Long-running operations of the tenants.
};
inline constexpr int kTableCount = 5;

// Reads within one transaction; all see the same state.
//
// Thread-safety: for one thread at a time.
// Lifetime: only within the body that receives it.
// Errors: UNAVAILABLE when the store cannot be read at the moment; DATA_LOSS when its data is damaged. Both are marked
// as the store's own (store_error.h), since a body may pass them on.
class ReadTransaction {
 public:
  virtual ~ReadTransaction() = default;

  // The value of the row, or nullopt when there is none.
  [[nodiscard]] virtual absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const = 0;

  // Visits the rows of `range` in ascending key order, until `visit` returns false. The views are valid only during the
  // call; `visit` must not write.
  using Visitor = absl::FunctionRef<bool(std::string_view key, std::string_view value)>;
  [[nodiscard]] virtual absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const = 0;
};

// Reads and writes within one transaction. A read sees the transaction's own writes.
class Transaction : public ReadTransaction {
 public:
  virtual void Put(Table table, std::string key, std::string value) = 0;
  virtual void Delete(Table table, std::string key) = 0;

  // `hook` runs once the commit is durable, before the transaction's `done`; it is dropped with a failed transaction.
  // It must not block. It is lost by a crash, and when the transaction turns out to be durable after `done` got
  // UNAVAILABLE. So anything that must happen needs a row, too.
  virtual void OnCommit(absl::AnyInvocable<void()> hook) = 0;

  // Has the transaction end with this error and leave nothing, whatever its body returns. The first one counts. For
  // what a body cannot be trusted to pass on.
  void Refuse(absl::Status error) {
    if (refusal_.ok()) refusal_ = std::move(error);
  }
  [[nodiscard]] const absl::Status& refusal() const { return refusal_; }

  // The statements of ExecuteWithSql (sql_connection.h), for the rest of its body.
  // Errors, with which the body ends: FAILED_PRECONDITION, this run has none. It tells the store what the body reads.
  [[nodiscard]] absl::StatusOr<SqlConnection*> sql() {
    wants_sql_ = true;
    if (sql_ == nullptr) return absl::FailedPreconditionError("this run of the transaction has no SQL");
    return sql_;
  }
  // For the store: gives the body its statements; and whether it has asked for them.
  void set_sql(SqlConnection* sql) { sql_ = sql; }
  [[nodiscard]] bool wants_sql() const { return wants_sql_; }

 private:
  absl::Status refusal_;
  SqlConnection* sql_ = nullptr;
  bool wants_sql_ = false;
};

// A backup of a store. Backups lie in a directory of their own, where each shares what did not change with those
// before.
struct Backup {
  uint32_t id = 0;  // From 1 on, ascending.
  absl::Time created;
  uint64_t size_bytes = 0;  // With the files that it shares.
};

struct BackupList {
  std::vector<Backup> backups;        // Oldest first.
  std::vector<uint32_t> damaged_ids;  // Of those with a file that is missing. Bytes are checked by a restore.
};

// Serializable read-write transactions, each atomic and durable, given as callbacks.
//
//   store.Execute([&](Transaction& txn) -> absl::Status { ...; txn.Put(table, key, value); return absl::OkStatus(); },
//                 [&](absl::Status status) { ... });
//
// Guarantees: a body that returns OK takes effect as a whole, and is durable when `done` gets OK. A body that returns
// an error leaves nothing. `done` is called exactly once, when everything the body could have read is durable, too. So
// its status may be told to a client. A body has no side effects except through its transaction. It may run more than
// once; only the last run counts.
//
// Thread-safety: safe. Bodies and `done` run on threads of the store, or on the caller's.
// Lifetime: the destructor waits until every `done` has returned. A transaction that a `done` starts meanwhile may get
// UNAVAILABLE.
// Errors, besides those of a body: UNAVAILABLE, the store cannot be written or read at the moment. The transaction may
// turn out to be durable, as a whole: with an engine on this machine only if the process dies, and until then no later
// transaction sees any of it; with one over a network also while the process lives (remote/store.h). A caller that
// retries with the same token finds out. DATA_LOSS, the stored data is damaged. RESOURCE_EXHAUSTED, too many
// transactions are waiting, in total or for this party, and this one was not started. A transaction that only reads is
// not refused because writes fail.
//
// An engine must pass tests/storage/store_test.cc and the other store_*_test.cc. The verbs beyond transactions are
// optional: an engine without them returns UNIMPLEMENTED.
class Store {
 public:
  using Body = absl::AnyInvocable<absl::Status(Transaction&)>;
  using ReadBody = absl::AnyInvocable<absl::Status(const ReadTransaction&)>;
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~Store() = default;

  // When many transactions wait, the parties take turns by the bytes that their transactions read and write
  // (turn_queue.h). The transactions of one `party` keep their order.
  virtual void Execute(Body body, Done done, std::string_view party) = 0;
  // Executes for a party without a name.
  void Execute(Body body, Done done) { Execute(std::move(body), std::move(done), /*party=*/""); }

  // Like Execute, for a body that also runs statements of SQL (Transaction::sql): they and its writes are one commit.
  // What the body reads and writes is locked before the statements, and until the commit. It runs on a thread that may
  // be blocked, beside other bodies. It is run again when PostgreSQL rolled the transaction back for another's sake.
  // Errors: also UNIMPLEMENTED, the engine has no SQL.
  virtual void ExecuteWithSql(Body body, Done done, std::string_view party) {
    static_cast<void>(body);
    static_cast<void>(party);
    std::move(done)(absl::UnimplementedError("this engine has no SQL"));
  }
  [[nodiscard]] virtual bool has_sql() const { return false; }

  // Like Execute, for a body that only reads. An engine that reads without waiting calls both callbacks before it
  // returns.
  virtual void Query(ReadBody body, Done done) = 0;

  // Like Query, for a thread that must not be blocked for long. Returns false when the body reads more than `max_bytes`
  // of rows, including their keys: `done` was not called, and the caller must run `body` again by Query.
  //
  // The default is for an engine whose queries never block the caller, and has no bound.
  virtual bool TryQuery(int64_t /*max_bytes*/, ReadBody& body, Done& done) {
    Query(std::move(body), std::move(done));
    return true;
  }

  // Rewrites all data, so that the space of deleted, overwritten and expired (expiry.h) rows is given back now instead
  // of over time. Blocks until it is done.
  [[nodiscard]] virtual absl::Status Compact() { return absl::UnimplementedError("this engine is not compacted"); }

  // Makes a backup of everything acknowledged so far. Creates the directory; transactions go on meanwhile. Blocks until
  // the backup is durable; only one may run at a time.
  // Errors, all of which leave no such backup: PERMISSION_DENIED, the directory cannot be created; CANCELLED,
  // `cancelled` became true; DATA_LOSS, the store is damaged; UNAVAILABLE, a disk cannot be read or written.
  [[nodiscard]] virtual absl::StatusOr<Backup> CreateBackup(const std::string& /*directory*/,
                                                            const std::atomic<bool>& /*cancelled*/) {
    return absl::UnimplementedError("this engine makes no backups");
  }
  // Errors: UNAVAILABLE, the directory cannot be read. A missing directory has no backups.
  [[nodiscard]] virtual absl::StatusOr<BackupList> ListBackups(const std::string& /*directory*/) const {
    return absl::UnimplementedError("this engine makes no backups");
  }
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_STORE_H_
