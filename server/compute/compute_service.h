#ifndef HAPAX_SERVER_COMPUTE_COMPUTE_SERVICE_H_
#define HAPAX_SERVER_COMPUTE_COMPUTE_SERVICE_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/compute/key_pairs/key_material.h"
#include "hapax/server/compute/placement/places.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/ids.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_queue.h"

namespace hapax::compute {

// The handlers of hapax.compute.v1.Compute (contract section 7). They know nothing of tokens, retries or gRPC: they
// write through their transaction, and the chain around them does the rest.
//
// Thread-safety: safe.
// Lifetime: the constructor's arguments outlive it.
// Errors: refusals with a reason of reason.h; else those of the store.
class ComputeService {
 public:
  ComputeService(const Catalog& catalog, const Places& places, IdSource& ids, WorkQueue& work,
                 const Operations& operations)
      : catalog_(catalog), places_(places), ids_(ids), work_(work), operations_(operations) {}

  // Returns the service to host. This object outlives it.
  [[nodiscard]] std::unique_ptr<HostedService> Host() const;

 private:
  // run_instances.cc
  [[nodiscard]] absl::Status RunInstances(const CallContext& context, Transaction& txn,
                                          const v1::RunInstancesRequest& request,
                                          v1::RunInstancesResponse* response) const;
  // terminate_instances.cc
  [[nodiscard]] absl::Status TerminateInstances(const CallContext& context, Transaction& txn,
                                                const v1::TerminateInstancesRequest& request,
                                                v1::TerminateInstancesResponse* response) const;
  // power.cc
  [[nodiscard]] absl::Status StartInstance(const CallContext& context, Transaction& txn,
                                           const v1::StartInstanceRequest& request,
                                           external::longrunning::Operation* response) const;
  [[nodiscard]] absl::Status StopInstance(const CallContext& context, Transaction& txn,
                                          const v1::StopInstanceRequest& request,
                                          external::longrunning::Operation* response) const;
  // allocate_hosts.cc
  [[nodiscard]] absl::Status AllocateHosts(const CallContext& context, Transaction& txn,
                                           const v1::AllocateHostsRequest& request,
                                           v1::AllocateHostsResponse* response) const;
  // release_hosts.cc
  [[nodiscard]] absl::Status ReleaseHosts(const CallContext& context, Transaction& txn,
                                          const v1::ReleaseHostsRequest& request,
                                          v1::ReleaseHostsResponse* response) const;
  // create_keypair.cc
  [[nodiscard]] static absl::StatusOr<KeyMaterial> PrepareKeypair(const CallContext& context,
                                                                  const v1::CreateKeypairRequest& request);
  [[nodiscard]] absl::Status CreateKeypair(const CallContext& context, Transaction& txn,
                                           const v1::CreateKeypairRequest& request, const KeyMaterial& material,
                                           v1::CreateKeypairResponse* response) const;
  // delete_keypair.cc
  [[nodiscard]] absl::Status DeleteKeypair(const CallContext& context, Transaction& txn,
                                           const v1::DeleteKeypairRequest& request,
                                           v1::DeleteKeypairResponse* response) const;
  // describe.cc
  [[nodiscard]] absl::Status DescribeInstances(const CallContext& context, const ReadTransaction& txn,
                                               const v1::DescribeInstancesRequest& request,
                                               v1::DescribeInstancesResponse* response) const;
  [[nodiscard]] absl::Status DescribeHosts(const CallContext& context, const ReadTransaction& txn,
                                           const v1::DescribeHostsRequest& request,
                                           v1::DescribeHostsResponse* response) const;
  [[nodiscard]] absl::Status DescribeKeypairs(const CallContext& context, const ReadTransaction& txn,
                                              const v1::DescribeKeypairsRequest& request,
                                              v1::DescribeKeypairsResponse* response) const;
  // describe_catalog.cc
  [[nodiscard]] absl::Status DescribeSubnets(const CallContext& context, const ReadTransaction& txn,
                                             const v1::DescribeSubnetsRequest& request,
                                             v1::DescribeSubnetsResponse* response) const;
  [[nodiscard]] absl::Status DescribeAvailabilityZones(const CallContext& context, const ReadTransaction& txn,
                                                       const v1::DescribeAvailabilityZonesRequest& request,
                                                       v1::DescribeAvailabilityZonesResponse* response) const;

  const Catalog& catalog_;
  const Places& places_;
  IdSource& ids_;
  WorkQueue& work_;
  const Operations& operations_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_COMPUTE_SERVICE_H_
