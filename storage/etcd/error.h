#ifndef HAPAX_STORAGE_ETCD_ERROR_H_
#define HAPAX_STORAGE_ETCD_ERROR_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace hapax {

// What an error of a request to etcd means.
struct EtcdError {
  enum class Remedy {
    kNone,         // Each member will refuse it.
    kOtherMember,  // This member, or the way to it, is of no use at the moment.
    kNewToken,     // The token of authentication is not valid any more.
  };

  // UNAVAILABLE: later or elsewhere it may succeed; also without room in etcd's database. RESOURCE_EXHAUSTED: etcd
  // refuses a request of this size. INVALID_ARGUMENT: of this content. PERMISSION_DENIED, UNAUTHENTICATED: etcd does
  // not let us. DATA_LOSS: its members differ.
  absl::Status status;
  // Whether the request surely changed nothing, and never will. Otherwise nobody knows.
  bool had_no_effect = false;
  Remedy remedy = Remedy::kNone;
};

// `error` is not OK.
[[nodiscard]] EtcdError EtcdErrorOf(const grpc::Status& error);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_ERROR_H_
