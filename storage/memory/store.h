#ifndef HAPAX_STORAGE_MEMORY_STORE_H_
#define HAPAX_STORAGE_MEMORY_STORE_H_

#include <cstddef>
#include <memory>

#include "hapax/storage/expiry.h"
#include "hapax/storage/store.h"

namespace hapax {

class MemoryTables;

// Returns empty tables. Their rows outlive the store that uses them, as on a disk.
[[nodiscard]] std::shared_ptr<MemoryTables> MakeMemoryTables();

struct MemoryStoreOptions {
  // The tables with the rows, for one store at a time. A later store with the same tables finds the rows of the earlier
  // one, as after a restart. Null: the store has its own tables.
  std::shared_ptr<MemoryTables> tables;
  // The maximum number of waiting transactions; one party may have half of them. One more is refused with
  // RESOURCE_EXHAUSTED.
  size_t max_waiting = 4096;
  // The rule for rows that expire, applied by Compact. Null: no row expires. Outlives the store.
  const ExpiryRule* expiry = nullptr;
};

// Returns a store in memory, for tests. It keeps the contract of Store, except that nothing outlives the process.
//
// Bodies, hooks and `done` of transactions run on one thread of the store, one transaction after another. Queries run
// on the caller's thread, each on a snapshot. Compact applies the expiry rule. Backups are UNIMPLEMENTED. Reads do not
// fail.
[[nodiscard]] std::unique_ptr<Store> MakeMemoryStore(MemoryStoreOptions options = {});

}  // namespace hapax

#endif  // HAPAX_STORAGE_MEMORY_STORE_H_
