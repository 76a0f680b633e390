#ifndef HAPAX_STORAGE_ETCD_SET_UP_H_
#define HAPAX_STORAGE_ETCD_SET_UP_H_

#include "absl/status/status.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/layout.h"

namespace hapax {

// Writes the cluster's id and the layout's version with the first start of an engine, and compares them with each later
// one. Blocks.
// Errors: FAILED_PRECONDITION, the rows are of another cluster, or a release of another layout wrote them; the message
// names the release to use. Otherwise those of EtcdClient.
[[nodiscard]] absl::Status CheckOrSetUp(EtcdClient& client, const EtcdLayout& layout);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_SET_UP_H_
