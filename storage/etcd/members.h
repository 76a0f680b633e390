#ifndef HAPAX_STORAGE_ETCD_MEMBERS_H_
#define HAPAX_STORAGE_ETCD_MEMBERS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/generic/generic_stub.h"
#include "hapax/etcd/v3/etcd.pb.h"
#include "hapax/storage/etcd/access.h"

namespace hapax {

// The connections to the members of a cluster, and which of them is in use.
//
// Thread-safety: safe.
class EtcdMembers {
 public:
  struct Member {
    std::string endpoint;
    grpc::TemplatedGenericStub<etcd::v3::TxnRequest, etcd::v3::TxnResponse> txn;
    grpc::TemplatedGenericStub<etcd::v3::AuthenticateRequest, etcd::v3::AuthenticateResponse> authenticate;
  };

  // Errors: INVALID_ARGUMENT, there is no endpoint, or one is not "host:port".
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<EtcdMembers>> Create(const std::vector<std::string>& endpoints,
                                                                           const EtcdAccess& access);

  [[nodiscard]] size_t size() const { return members_.size(); }
  // The number of the member in use.
  [[nodiscard]] size_t current() const { return current_.load(std::memory_order_relaxed); }
  [[nodiscard]] Member& operator[](size_t number) { return *members_[number]; }

  // Goes on to the next member, unless `failed` is not in use any more.
  void LeaveMember(size_t failed) {
    current_.compare_exchange_strong(failed, (failed + 1) % members_.size(), std::memory_order_relaxed);
  }

 private:
  EtcdMembers() = default;

  std::vector<std::unique_ptr<Member>> members_;
  std::atomic<size_t> current_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_MEMBERS_H_
