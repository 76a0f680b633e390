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

// The tables of a store. Each is an ordered map from key bytes to value bytes: any bytes, and an empty value is a row.
enum class Table {
  kMeta,        // What a store and its servers remember of themselves (format.h).
  kTokens,      // What became of client tokens.
  kResources,   // What the hosted services keep, each in a table of its own within (service_table.h).
  kWork,        // Asynchronous work that a commit started and that is not finished.
  kOperations,  // Long-running operations of the tenants.
};
inline constexpr int kTableCount = 5;

// Reads within one transaction: all of them see the same state.
//
// Thread-safety: for one thread at a time.
// Lifetime: only within the body it is handed to.
// Errors: UNAVAILABLE when the store cannot be read just now; DATA_LOSS when what it holds is damaged. Both are marked
// as the store's own (store_error.h), since a body may pass them on.
class ReadTransaction {
 public:
  virtual ~ReadTransaction() = default;

  // The value of the row, or nullopt when there is none.
  [[nodiscard]] virtual absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const = 0;

  // Visits the rows of `range` in ascending order of their keys, until `visit` returns false. The views
  // are valid only during the call; `visit` must not write.
  using Visitor = absl::FunctionRef<bool(std::string_view key, std::string_view value)>;
  [[nodiscard]] virtual absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const = 0;
};

// Reads and writes within one transaction. A read sees the transaction's own writes.
class Transaction : public ReadTransaction {
 public:
  virtual void Put(Table table, std::string key, std::string value) = 0;
  virtual void Delete(Table table, std::string key) = 0;

  // `hook` runs once the commit is durable, before the transaction's `done`; never when it is dropped.
  // It must not block. A crash may lose it, so whatever must happen is also a row.
  virtual void OnCommit(absl::AnyInvocable<void()> hook) = 0;
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
// Guarantees: a body that returns OK takes effect as a whole, and is durable when `done` is called with
// OK. A body that returns an error leaves nothing. `done` is called exactly once, and only when
// everything that the body could have read is durable as well, so that it may be told to a client.
// A body has no side effect but through its transaction, and may be run more than once: only the
// last run counts.
//
// Thread-safety: safe. Bodies and `done` run on threads of the store's, or on the caller's.
// Lifetime: the destructor waits until every `done` has returned. What one of them starts meanwhile may be UNAVAILABLE.
// Errors, besides a body's own: UNAVAILABLE, the store cannot be written or read just now (nothing was
// acknowledged, and no later transaction of this process finds anything of it; only if the process dies
// may it turn out to be durable, as a whole); DATA_LOSS, what it holds is damaged;
// RESOURCE_EXHAUSTED, too many transactions are waiting, of all or of its party, and this one was not started.
// A transaction that only reads is not refused because others cannot write.
//
// An engine is whatever passes tests/storage/store_test.cc and its like (store_*_test.cc). What goes beyond
// transactions it may leave out: then these verbs are UNIMPLEMENTED.
class Store {
 public:
  using Body = absl::AnyInvocable<absl::Status(Transaction&)>;
  using ReadBody = absl::AnyInvocable<absl::Status(const ReadTransaction&)>;
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~Store() = default;

  // When many transactions wait, those who want them, the `party`, take turns (turn_queue.h), by the bytes that theirs
  // read and write. Of one party's that wait, the first comes first.
  virtual void Execute(Body body, Done done, std::string_view party) = 0;
  // As one of a party without a name.
  void Execute(Body body, Done done) { Execute(std::move(body), std::move(done), /*party=*/""); }

  // As Execute, for a body that only reads. An engine that reads without waiting for others runs both
  // callbacks before it returns.
  virtual void Query(ReadBody body, Done done) = 0;

  // As Query, on a thread that may not be kept for long: when the body reads more than `max_bytes` of rows, their keys
  // included, returns false; then `body` may have run, and is to be run again by Query, and `done` was not called.
  // An engine whose queries never keep the caller's thread leaves it as it is, without a bound.
  virtual bool TryQuery(int64_t /*max_bytes*/, ReadBody& body, Done& done) {
    Query(std::move(body), std::move(done));
    return true;
  }

  // Rewrites everything, so that the space of what was deleted, overwritten or has expired (expiry.h) is given back at
  // once; otherwise that happens by and by. Blocks until it is done.
  [[nodiscard]] virtual absl::Status Compact() { return absl::UnimplementedError("this engine is not compacted"); }

  // Makes a backup of all that was acknowledged by now in the directory, which is created; transactions go on
  // meanwhile. Blocks until it is durable. One at a time. Errors: PERMISSION_DENIED, the directory cannot be created;
  // CANCELLED, `cancelled` became true; DATA_LOSS, the store is damaged; UNAVAILABLE, a disk cannot be read or written.
  // Then there is no such backup.
  [[nodiscard]] virtual absl::StatusOr<Backup> CreateBackup(const std::string& /*directory*/,
                                                            const std::atomic<bool>& /*cancelled*/) {
    return absl::UnimplementedError("this engine makes no backups");
  }
  // Errors: UNAVAILABLE, the directory cannot be read. One that does not exist has none.
  [[nodiscard]] virtual absl::StatusOr<BackupList> ListBackups(const std::string& /*directory*/) const {
    return absl::UnimplementedError("this engine makes no backups");
  }
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_STORE_H_
