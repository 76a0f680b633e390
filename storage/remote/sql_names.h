#ifndef HAPAX_STORAGE_REMOTE_SQL_NAMES_H_
#define HAPAX_STORAGE_REMOTE_SQL_NAMES_H_

#include <string>

#include "absl/container/btree_set.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/group_run.h"

namespace hapax {

// The rows and granules that a transaction with SQL locks before its statements run. They are found by runs of its
// body: what a run reads it may also write, so that a token's row is kept from others until the commit.
//
// Thread-safety: like a standard container.
class SqlNames {
 public:
  // Adds what the run read and wrote. Returns whether nothing of it was new.
  bool Add(GroupRun& run);
  // A group of these on the slot, without revisions and values.
  [[nodiscard]] RemoteGroup GroupOn(const std::string& slot) const;

 private:
  absl::btree_set<RemoteKey> reads_;
  absl::btree_set<RemoteKey> writes_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_SQL_NAMES_H_
