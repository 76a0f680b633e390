#ifndef HAPAX_STORAGE_ETCD_BACKEND_H_
#define HAPAX_STORAGE_ETCD_BACKEND_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/limits.h"
#include "hapax/storage/etcd/options.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// Connects to the rows of an engine in etcd: finds the limits of the members, and checks that this is the cluster in
// which the engine was set up, by a release of the same layout. In an empty one it is set up. `prefix`: see layout.h.
// Blocks: for 2 s more for each member that does not answer, whose limits do not count.
//
// A group is one transaction of etcd's. A commit is sent again only when a member refused to begin with it.
//
// Thread-safety, lifetime, errors: as of RemoteBackend. Requests that etcd refuses for their size get
// RESOURCE_EXHAUSTED. A full database (NOSPACE) is UNAVAILABLE; of a group it is not known then whether it was applied.
// Errors of this function: FAILED_PRECONDITION also if the cluster was restored, the layout is another one, an endpoint
// is of another cluster, or the limits are too small (limits.h);
// INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED: an option or a file that it names is wrong; otherwise those of
// EtcdClient.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RemoteBackend>> OpenEtcdBackend(const EtcdOptions& options,
                                                                             const std::string& prefix);

// The same over a client of the caller's, for tests. Asks etcd nothing, and does not block. Errors:
// FAILED_PRECONDITION, the limits are too small.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RemoteBackend>> MakeEtcdBackend(std::unique_ptr<EtcdClient> client,
                                                                             const std::string& prefix,
                                                                             const EtcdLimits& limits);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_BACKEND_H_
