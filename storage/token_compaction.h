#ifndef HAPAX_STORAGE_TOKEN_COMPACTION_H_
#define HAPAX_STORAGE_TOKEN_COMPACTION_H_

#include <memory>

#include "hapax/storage/clock.h"
#include "rocksdb/compaction_filter.h"

namespace hapax {

// Gives back, whenever RocksDB compacts table tokens, the space of what is too old to matter: an expired
// record becomes its tombstone, and one that is to be forgotten is dropped. Readers judge by a time that is never
// before `time` (token_time.h), so when this happens changes nothing that can be observed. A damaged row is left as it
// is: it must stay DATA_LOSS, not become a free token.
//
// Internal to storage. Thread-safety: safe. Lifetime: `time` outlives the database; it must be durable, and never go
// back.
[[nodiscard]] std::unique_ptr<rocksdb::CompactionFilter> MakeTokenCompactionFilter(const TimeSource& time);

}  // namespace hapax

#endif  // HAPAX_STORAGE_TOKEN_COMPACTION_H_
