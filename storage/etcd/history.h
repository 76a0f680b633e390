#ifndef HAPAX_STORAGE_ETCD_HISTORY_H_
#define HAPAX_STORAGE_ETCD_HISTORY_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/etcd/v3/etcd.pb.h"

namespace hapax {

// Finds out that a cluster is not the one that it was: another one, or one that was restored from a backup, so that
// what was told may be lost. Then nothing that it answers counts any more, until an operator decides and the process is
// started anew.
//
//   const int64_t floor = history.revision();
//   ... send a request, receive `response` ...
//   HAPAX_RETURN_IF_ERROR(history.Check(response.header(), floor));
//
// A cluster that is restored with its old id to a revision that is not below the highest seen is not found out.
//
// Thread-safety: safe.
class EtcdHistory {
 public:
  // The highest revision seen: a linearizable answer to a request that is sent from now on has at least this one.
  [[nodiscard]] int64_t revision() const;

  // Notes an answer to a linearizable request. `floor` is revision() of before it was sent.
  // Errors: FAILED_PRECONDITION, of this call and all further ones: the cluster is another one or was restored.
  [[nodiscard]] absl::Status Check(const etcd::v3::ResponseHeader& header, int64_t floor);

  // The error of an earlier Check, or OK.
  [[nodiscard]] absl::Status status() const;

  // The cluster's id; 0 before the first answer.
  [[nodiscard]] uint64_t cluster_id() const;

 private:
  mutable absl::Mutex mu_;
  uint64_t cluster_id_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t revision_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_HISTORY_H_
