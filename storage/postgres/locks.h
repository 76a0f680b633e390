#ifndef HAPAX_STORAGE_POSTGRES_LOCKS_H_
#define HAPAX_STORAGE_POSTGRES_LOCKS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hapax/storage/remote/backend.h"

// The advisory locks of groups: what makes a comparison hold until the commit.
//
// A group locks the name of each key that it compares or writes, so absent keys, too. The lock of a row is exclusive if
// the group writes it, and else shared. That of a granule is exclusive if the group compares it, and else shared: those
// that only write in a granule do not wait for one another. All are taken in the order of their numbers, so groups do
// not block one another for ever.
//
// PostgreSQL has a table of limited size for locks. So every group first takes the lock of the whole engine: shared, or
// exclusive in place of all others if it had too many. How many that are is a matter of each server. When others have
// filled the table, a group takes the engine's lock alone, too (isolation.h).
namespace hapax {

struct PgLock {
  int64_t id = 0;
  bool is_exclusive = false;

  friend bool operator==(const PgLock&, const PgLock&) = default;
};

class PgLocks {
 public:
  // Engines of other schemas have other locks. Requires: max_locks > 0.
  PgLocks(std::string schema, size_t max_locks) : schema_(std::move(schema)), max_locks_(max_locks) {}

  // In the order in which they are taken.
  [[nodiscard]] std::vector<PgLock> OfGroup(const RemoteGroup& group) const;
  [[nodiscard]] std::vector<PgLock> OfSlot(const std::string& slot) const;
  // Keeps all groups out that are not in yet.
  [[nodiscard]] PgLock OfEngine(bool is_exclusive) const;

 private:
  [[nodiscard]] int64_t IdOf(char kind, int table, absl::string_view key) const;
  [[nodiscard]] int64_t IdOf(const RemoteKey& key) const;

  const std::string schema_;
  const size_t max_locks_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_LOCKS_H_
