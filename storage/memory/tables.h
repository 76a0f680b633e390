#ifndef HAPAX_STORAGE_MEMORY_TABLES_H_
#define HAPAX_STORAGE_MEMORY_TABLES_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/store.h"

namespace hapax {

// The rows of a memory store. They outlive the store, as on a disk.
//
// A reader has a snapshot, which never changes. A write changes a table in place if no snapshot has it, and a copy
// otherwise.
//
// Thread-safety: safe.
class MemoryTables {
 public:
  using Rows = absl::btree_map<std::string, std::string, std::less<>>;

  MemoryTables();
  MemoryTables(const MemoryTables&) = delete;
  MemoryTables& operator=(const MemoryTables&) = delete;

  // The tables at one moment. Lifetime: the MemoryTables outlive it.
  class Snapshot {
   public:
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    [[nodiscard]] const Rows& rows(Table table) const { return *state_[static_cast<int>(table)]; }

   private:
    friend class MemoryTables;
    explicit Snapshot(const MemoryTables& tables);

    const MemoryTables& tables_;
    std::array<std::shared_ptr<const Rows>, kTableCount> state_;
  };
  [[nodiscard]] Snapshot Read() const { return Snapshot(*this); }

  // Applies all writes at once.
  void Write(const Overlay& writes);

  // Replaces and drops the rows that the rule selects.
  void Apply(const ExpiryRule& rule);

  // Returns the number of writes so far.
  [[nodiscard]] int64_t version() const;
  // Waits for a write after `version`, at most until that monotonic time. Returns whether there was one.
  bool AwaitWriteAfter(int64_t version, absl::Duration until) const;

 private:
  // Returns the table, copied first if a snapshot has it.
  [[nodiscard]] Rows& OwnRows(Table table) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Monitor mu_;
  // Copied and dropped only under the lock, so that use counts are exact.
  std::array<std::shared_ptr<Rows>, kTableCount> tables_ ABSL_GUARDED_BY(mu_);
  int64_t version_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_MEMORY_TABLES_H_
