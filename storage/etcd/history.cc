#include "hapax/storage/etcd/history.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hapax {

int64_t EtcdHistory::revision() const {
  absl::MutexLock lock(&mu_);
  return revision_;
}

absl::Status EtcdHistory::Check(const etcd::v3::ResponseHeader& header, int64_t floor) {
  absl::MutexLock lock(&mu_);
  if (!status_.ok()) return status_;
  if (cluster_id_ == 0) cluster_id_ = header.cluster_id();
  if (header.cluster_id() != cluster_id_) {
    status_ = absl::FailedPreconditionError(absl::StrCat("etcd's cluster id was ", absl::Hex(cluster_id_),
                                                         " and is now ", absl::Hex(header.cluster_id()),
                                                         ": it is another cluster, or was restored from a backup"));
  } else if (header.revision() < floor) {
    status_ = absl::FailedPreconditionError(absl::StrCat("etcd's revision went back from ", floor, " to ",
                                                         header.revision(), ": it was restored from a backup"));
  }
  revision_ = std::max(revision_, header.revision());
  return status_;
}

absl::Status EtcdHistory::status() const {
  absl::MutexLock lock(&mu_);
  return status_;
}

uint64_t EtcdHistory::cluster_id() const {
  absl::MutexLock lock(&mu_);
  return cluster_id_;
}

}  // namespace hapax
