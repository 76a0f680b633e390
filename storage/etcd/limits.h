#ifndef HAPAX_STORAGE_ETCD_LIMITS_H_
#define HAPAX_STORAGE_ETCD_LIMITS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/etcd/options.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// What all members of a cluster are set to take, rounded down.
struct EtcdLimits {
  int max_txn_ops = 0;            // --max-txn-ops: comparisons, and operations of either branch.
  int64_t max_request_bytes = 0;  // --max-request-bytes.
};

// The smallest limits with which an engine works: a launch of a hundred instances with its work is one transaction.
// etcd's default of 128 operations is not enough; its default of 1.5 MiB is.
inline constexpr EtcdLimits kSmallestEtcdLimits = {.max_txn_ops = 1024, .max_request_bytes = int64_t{1} << 20};

// What a group may hold, so that it is one request of these limits with the keys of this layout. At least half of the
// bytes are left for the rows' own.
// Errors: FAILED_PRECONDITION, a group would have fewer reads and writes than with the smallest limits, since the
// prefix is long; the message says what to change.
[[nodiscard]] absl::StatusOr<RemoteLimits> GroupLimitsOf(const EtcdLimits& limits, const EtcdLayout& layout);

// Finds limits that each member has, by requests that it refuses and that change nothing. Asks all of
// `options.endpoints`, one after the other. A member that is UNAVAILABLE for `options.attempt_timeout` is left out; if
// its limits are smaller, it refuses groups later, and they change nothing. Blocks.
// Errors: FAILED_PRECONDITION, the limits of a member are below the smallest ones, and the message says which flag of
// etcd's to set; or the member's cluster has another id than `cluster_id`. UNAVAILABLE, no member answers. Otherwise
// those of EtcdClient.
[[nodiscard]] absl::StatusOr<EtcdLimits> ProbeEtcdLimits(const EtcdOptions& options, uint64_t cluster_id,
                                                         const EtcdLayout& layout);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_LIMITS_H_
