#ifndef HAPAX_STORAGE_MEMORY_STORE_H_
#define HAPAX_STORAGE_MEMORY_STORE_H_

#include <cstddef>
#include <memory>

#include "hapax/storage/expiry.h"
#include "hapax/storage/store.h"

namespace hapax {

class MemoryTables;

// Rows that outlive the store that keeps them, as a disk would; none yet.
[[nodiscard]] std::shared_ptr<MemoryTables> MakeMemoryTables();

struct MemoryStoreOptions {
  // Where it keeps its rows, for one store at a time: a later store with the same tables finds the rows of the one
  // before, as after a restart. Null: tables of its own.
  std::shared_ptr<MemoryTables> tables;
  // Transactions that may wait, half of them one party's; one more is refused with RESOURCE_EXHAUSTED.
  size_t max_waiting = 4096;
  // Whose rows grow old, and when; Compact applies it. Null: none does. Outlives the store.
  const ExpiryRule* expiry = nullptr;
};

// A store in memory, for tests: all of Store's contract but that nothing outlives the process.
//
// Bodies, hooks and `done` run on one thread of the store's, one transaction after another. Queries run on the caller's
// thread, on a state of their own. Compact applies the expiry rule; backups are UNIMPLEMENTED. Reads do not fail.
[[nodiscard]] std::unique_ptr<Store> MakeMemoryStore(MemoryStoreOptions options = {});

}  // namespace hapax

#endif  // HAPAX_STORAGE_MEMORY_STORE_H_
