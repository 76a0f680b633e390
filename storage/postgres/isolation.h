#ifndef HAPAX_STORAGE_POSTGRES_ISOLATION_H_
#define HAPAX_STORAGE_POSTGRES_ISOLATION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/postgres/session.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// How a group's comparison is made to hold until its commit: the calls that begin its transaction. The servers of one
// schema must agree on it, since either way keeps apart only those that follow it.
//
//   advisory_locks   READ COMMITTED, after the locks of all names that the group compares or writes (locks.h). Nothing
//                    is run again, however many servers there are
//   serializable     SERIALIZABLE: of two groups that conflict one fails and is run again. Needs no advisory locks
//
// Reads. With locks a read is one statement, so one snapshot, in READ COMMITTED. Groups that conflict commit in the
// order of their locks, so each snapshot is a state between two of them. With SERIALIZABLE this is not so: T1 compares
// x; T2 writes x and commits; T1 writes y and commits. T1 comes before T2, but a snapshot between the two commits has
// the x of T2 and not the y of T1: a state that never was. So reads are serializable, too. Then PostgreSQL sees T1
// between the read and T2, and one of them fails.
//
// Thread-safety: safe.
class PgIsolation {
 public:
  virtual ~PgIsolation() = default;

  // What precedes the write of a group, or of its slot, up to COMMIT.
  [[nodiscard]] virtual std::vector<PgCall> BeginGroup(const RemoteGroup& group) const = 0;
  [[nodiscard]] virtual std::vector<PgCall> BeginRaise(const std::string& slot) const = 0;
  // Whether a transaction keeps others out from its beginning on, by locks.
  [[nodiscard]] virtual bool has_locks() const = 0;
  // The server had no memory for what began a group. The next groups ask for less.
  virtual void NoteOutOfMemory() {}
  // What precedes a read. Empty: the read is no transaction of several calls.
  [[nodiscard]] virtual std::vector<PgCall> BeginRead() const = 0;
};

// `max_locks` is that of PgLocks.
[[nodiscard]] std::unique_ptr<PgIsolation> MakePgIsolation(const PostgresOptions& options, size_t max_locks);

// As the option postgres_isolation names it.
[[nodiscard]] absl::string_view PgIsolationName(PgIsolationKind kind);
// Errors: INVALID_ARGUMENT.
[[nodiscard]] absl::StatusOr<PgIsolationKind> ParsePgIsolation(absl::string_view name);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_ISOLATION_H_
