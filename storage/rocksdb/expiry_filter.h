#ifndef HAPAX_STORAGE_ROCKSDB_EXPIRY_FILTER_H_
#define HAPAX_STORAGE_ROCKSDB_EXPIRY_FILTER_H_

#include <memory>

#include "hapax/storage/expiry.h"
#include "rocksdb/compaction_filter.h"

namespace hapax {

// Applies the rule to the rows of its table when RocksDB compacts them.
//
// Internal to storage. Lifetime: `rule` outlives the database.
[[nodiscard]] std::unique_ptr<rocksdb::CompactionFilter> MakeExpiryFilter(const ExpiryRule& rule);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_EXPIRY_FILTER_H_
