#ifndef HAPAX_STORAGE_ETCD_LIMITS_H_
#define HAPAX_STORAGE_ETCD_LIMITS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// What the members of a cluster are set to take, rounded down.
struct EtcdLimits {
  int max_txn_ops = 0;            // --max-txn-ops: comparisons, and operations of either branch.
  int64_t max_request_bytes = 0;  // --max-request-bytes.
};

// The smallest limits with which an engine works: a launch of a hundred instances with its work is one transaction.
// etcd's default of 128 operations is not enough; its default of 1.5 MiB is.
inline constexpr EtcdLimits kSmallestEtcdLimits = {.max_txn_ops = 1024, .max_request_bytes = int64_t{1} << 20};

// What a group may hold, so that its transaction is within the limits. At least half of the bytes are left for rows.
[[nodiscard]] RemoteLimits GroupLimits(const EtcdLayout& layout, const EtcdLimits& limits);

// Finds the limits of the member in use by requests that it refuses, and that change nothing. Blocks.
// Errors: FAILED_PRECONDITION, they are below the smallest ones; the message says which flag of etcd's to set.
// Otherwise those of EtcdClient.
[[nodiscard]] absl::StatusOr<EtcdLimits> ProbeEtcdLimits(EtcdClient& client, const EtcdLayout& layout);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_LIMITS_H_
