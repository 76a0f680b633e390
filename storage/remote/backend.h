#ifndef HAPAX_STORAGE_REMOTE_BACKEND_H_
#define HAPAX_STORAGE_REMOTE_BACKEND_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/storage/key.h"
#include "hapax/storage/sql_connection.h"
#include "hapax/storage/store.h"

// What an engine over a network asks of its database (RemoteStore, store.h).
//
//   row        a key and a value in a table, as of hapax/storage/store.h
//   granule    a part of a table that scans compare as a whole (granule.h); it has a revision and no value
//   revision   of a row or granule: changes with each write of it; 0 means absent
//   group      transactions that are applied together, or not at all
//   slot       a named value of the database that each group writes with its rows, to find out whether it was applied
namespace hapax {

// Names a row or a granule.
//
// A granule solves what a comparison of rows cannot: a row that appears in a scanned range, or leaves it. The engine
// names the granules. It adds the granule of each scan to the reads of a group, and the granules of each row that a
// group may insert or delete to its writes. A backend that compares treats a granule as one more key. A backend that
// locks may take the granule's lock, shared for a write and exclusive for a read.
struct RemoteKey {
  enum class Kind { kRow, kGranule };

  Kind kind = Kind::kRow;
  Table table = Table::kMeta;
  std::string key;  // Any bytes; a granule's may be empty.

  friend bool operator==(const RemoteKey&, const RemoteKey&) = default;
  friend bool operator<(const RemoteKey& one, const RemoteKey& other) {
    return std::tie(one.kind, one.table, one.key) < std::tie(other.kind, other.table, other.key);
  }
};

// A row or granule as it was read.
struct RemoteValue {
  int64_t revision = 0;              // Of its last write; 0: absent.
  std::optional<std::string> value;  // Nullopt: absent, or a granule.
};

struct RemoteFetch {
  struct Scan {
    Table table = Table::kMeta;
    KeyRange range;         // Not empty.
    int64_t max_rows = 0;   // 0: all.
    int64_t max_bytes = 0;  // Of values: the row that exceeds it is the last. A backend may return more. 0: all.
  };
  std::vector<RemoteKey> keys;  // No two alike.
  std::vector<Scan> scans;
};

// The state of one moment while the fetch was under way.
struct RemoteFetched {
  struct Row {
    std::string key;
    RemoteValue value;
  };
  struct Rows {
    std::vector<Row> rows;  // Ascending.
    bool has_more = false;  // Beyond max_rows, or perhaps beyond max_bytes.
  };
  std::vector<RemoteValue> values;  // As the keys.
  std::vector<Rows> scans;          // As the scans.
};

// The value of a slot. One group at a time is in flight on a slot.
struct RemoteSlot {
  std::string owner;   // A random name that a process draws at its start. Empty: the slot was never taken.
  uint64_t epoch = 0;  // Only grows. A group with a lower one is never applied.
  uint64_t seq = 0;    // The number of the last group that was applied.

  friend bool operator==(const RemoteSlot&, const RemoteSlot&) = default;
};

// A slot as it was read.
struct RemoteSlotState {
  RemoteSlot value;
  int64_t revision = 0;  // 0: there is no such slot yet.
};

struct RemoteRead {
  RemoteKey key;
  int64_t revision = 0;  // As a body saw it.
};

struct RemoteGroup {
  struct Write {
    RemoteKey key;                     // No two alike.
    std::optional<std::string> value;  // Nullopt: a row is deleted. A granule has an empty value.
  };
  std::string slot;
  RemoteSlot before;              // Compared with the slot's value. The group puts it with `seq` + 1.
  std::vector<RemoteRead> reads;  // Each is compared. No two of one key.
  std::vector<Write> writes;
};

struct RemoteCommitted {
  enum class Outcome {
    kApplied,
    kNotApplied,  // The slot or something that was read had changed at this delivery. See `slot`.
    kRefused,     // It was not applied and never will be; `status` says why. Another try may succeed if UNAVAILABLE.
    kUnknown,     // It may have been applied, or may still be.
  };
  Outcome outcome = Outcome::kUnknown;
  absl::Status status;   // With kRefused and kUnknown.
  int64_t revision = 0;  // With kApplied: of each row that the group put; 0: unknown.
  RemoteSlot slot;       // With kNotApplied: the slot's value, read at the moment of the comparison.
};

// What one commit may hold. The engine cuts its groups by these.
struct RemoteLimits {
  int64_t max_reads = 1024;
  int64_t max_writes = 1024;             // Granules included, the slot not.
  int64_t max_bytes = int64_t{1} << 20;  // Of all keys and values.
};

// Transactions in which statements of SQL run between the reads of a group and its commit.
//
//   session->Begin(fetch, foreseen, deadline);  session->Execute(...);  session->Commit(group) or session->Rollback();
//
// Thread-safety: for one thread at a time, which it blocks. Lifetime: ends before the backend.
class RemoteSqlSession : public SqlConnection {
 public:
  // Begins a transaction, and reads everything at one moment. From then on others cannot change what `foreseen` reads
  // and writes, as with FetchAndHold. Connects if need be. The statements end by monotonic time `deadline`.
  // Errors: those of RemoteBackend, and ABORTED: rolled back for another's sake.
  virtual absl::StatusOr<RemoteFetched> Begin(const RemoteFetch& fetch, const RemoteGroup& foreseen,
                                              absl::Duration deadline) = 0;
  // The error of the first statement since Begin that failed, whoever passed over it. Commit is refused then.
  [[nodiscard]] virtual absl::Status failure() const = 0;
  // Applies the group and the statements' effects as one, if the slot and everything it read are unchanged. A check
  // that was deferred to the commit fails as a statement does. In any case the transaction ends.
  virtual RemoteCommitted Commit(const RemoteGroup& group) = 0;
  virtual void Rollback() = 0;
};

// A database over a network that compares and writes atomically. It knows nothing of transactions' bodies.
//
// All requests are linearizable: each takes effect at one moment between the call and its callback. A backend
// sends a commit or a raise again only if the database refused to begin with it.
//
// Errors, all of them ordinary statuses that say what to do:
//   UNAVAILABLE          try again later
//   FAILED_PRECONDITION  the database is not the one that it was: another cluster, or one restored from a backup. From
//                        then on every request fails so. The engine stops for ever
//   others               the request cannot be served as it is (such as RESOURCE_EXHAUSTED, PERMISSION_DENIED)
//
// Thread-safety: safe. No method blocks. Callbacks run on threads of the backend, or before the method returns; they
// do not block.
// Lifetime: the destructor returns when all callbacks have returned. Requests that are under way then get UNAVAILABLE,
// and commits kUnknown.
class RemoteBackend {
 public:
  using OnFetched = absl::AnyInvocable<void(absl::StatusOr<RemoteFetched>) &&>;
  using OnCompared = absl::AnyInvocable<void(absl::StatusOr<bool>) &&>;
  using OnCommitted = absl::AnyInvocable<void(RemoteCommitted) &&>;
  using OnSlotRead = absl::AnyInvocable<void(absl::StatusOr<RemoteSlotState>) &&>;
  using OnSlotRaised = absl::AnyInvocable<void(absl::StatusOr<bool>) &&>;

  virtual ~RemoteBackend() = default;

  [[nodiscard]] virtual RemoteLimits limits() const = 0;

  // Reads everything at one moment.
  virtual void Fetch(RemoteFetch fetch, OnFetched done) = 0;

  // Whether FetchAndHold keeps others from changes.
  [[nodiscard]] virtual bool CanHold() const { return false; }

  // Like Fetch, for a group of which `foreseen` has the slot and the keys, without values. A backend that locks keeps
  // others from changing these until the next commit on the slot, or its release. So that commit meets no change of
  // them. It compares all the same: the hold may end at any time. Requires: CanHold().
  virtual void FetchAndHold(RemoteFetch fetch, const RemoteGroup& foreseen, OnFetched done) {
    static_cast<void>(foreseen);
    Fetch(std::move(fetch), std::move(done));
  }

  // Ends the hold of the last FetchAndHold on the slot, if it still lasts.
  virtual void Release(const std::string& slot) { static_cast<void>(slot); }

  // Returns whether all of it is unchanged at one moment.
  virtual void Compare(std::vector<RemoteRead> reads, OnCompared done) = 0;

  // Applies the group if its slot and everything it read are unchanged.
  virtual void Commit(RemoteGroup group, OnCommitted done) = 0;

  virtual void ReadSlot(const std::string& slot, OnSlotRead done) = 0;

  // Puts `next` if the slot is as `seen`: a compare-and-put of its revision. Returns false if it had changed. After an
  // error it may have been applied, or may still be.
  virtual void RaiseSlot(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                         OnSlotRaised done) = 0;

  // Whether there are sessions for statements of SQL (sql_session.h).
  [[nodiscard]] virtual bool has_sql() const { return false; }
  // Requires: has_sql(). The session connects when it is first used, and ends before the backend.
  [[nodiscard]] virtual std::unique_ptr<RemoteSqlSession> NewSqlSession() { return nullptr; }
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_BACKEND_H_
