#ifndef HAPAX_TESTS_SERVER_SUPPORT_TEST_COMPUTE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_TEST_COMPUTE_H_

#include <any>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/instances/power.h"
#include "hapax/server/compute/placement/places.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/store.h"
#include "hapax/testing/counted_ids.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/held_hypervisor.h"
#include "hapax/tests/server/support/watched_driver.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"
#include "spdlog/logger.h"

namespace hapax::compute {

inline constexpr char kTenant[] = "tenant";
inline constexpr char kOtherTenant[] = "other-tenant";

// A catalog that is soon used up:
//   us-east-1a   20 vcpus, subnet-a with 11 addresses from 10.0.0.4 on
//   us-east-1b   16 vcpus, subnet-b and subnet-c with 251 and 27 addresses
//   eu-west-1a   100 vcpus, subnet-e with 251 addresses
// Image ami-1; m5.large (the default) of 2 vcpus, 3 to a host, and m5.xlarge of 4, 1 to a host; a quota of
// 12 instances and 3 hosts; the images' key `image-key`.
[[nodiscard]] v1::Catalog SmallCatalog();

// The compute service on a store of its own, without chain and gRPC: its handlers, called as the chain
// calls them. Ids are counted, the clock is set, and instances come up and go down when the test says so.
//
//   TestCompute compute;
//   const auto reply = compute.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1'"));
//
// Thread-safety: for one thread.
class TestCompute {
 public:
  explicit TestCompute(const v1::Catalog& catalog = SmallCatalog());
  ~TestCompute();
  TestCompute(const TestCompute&) = delete;
  TestCompute& operator=(const TestCompute&) = delete;

  // Ends the server and starts another on the same data, with this catalog. Open work is taken up again.
  void Restart(const v1::Catalog& catalog);

  // The handlers. The client token is the request's, the default region us-east-1.
  [[nodiscard]] absl::StatusOr<v1::RunInstancesResponse> RunInstances(const v1::RunInstancesRequest& request,
                                                                      const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::AllocateHostsResponse> AllocateHosts(const v1::AllocateHostsRequest& request,
                                                                        const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::ReleaseHostsResponse> ReleaseHosts(const v1::ReleaseHostsRequest& request,
                                                                      const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::CreateKeypairResponse> CreateKeypair(const v1::CreateKeypairRequest& request,
                                                                        const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::DeleteKeypairResponse> DeleteKeypair(const v1::DeleteKeypairRequest& request,
                                                                        const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::TerminateInstancesResponse> TerminateInstances(
      const v1::TerminateInstancesRequest& request, const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<external::longrunning::Operation> StopInstance(const v1::StopInstanceRequest& request,
                                                                              const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<external::longrunning::Operation> StartInstance(const v1::StartInstanceRequest& request,
                                                                               const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::DescribeInstancesResponse> DescribeInstances(
      const v1::DescribeInstancesRequest& request = {}, const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::DescribeHostsResponse> DescribeHosts(const v1::DescribeHostsRequest& request = {},
                                                                        const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::DescribeKeypairsResponse> DescribeKeypairs(
      const v1::DescribeKeypairsRequest& request = {}, const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::DescribeSubnetsResponse> DescribeSubnets(
      const v1::DescribeSubnetsRequest& request = {}, const std::string& tenant = kTenant);
  [[nodiscard]] absl::StatusOr<v1::DescribeAvailabilityZonesResponse> DescribeAvailabilityZones(
      const v1::DescribeAvailabilityZonesRequest& request = {}, const std::string& tenant = kTenant);

  // The instances that come up, or go down, are up, or down, or have failed, for good, and this is written down.
  // Returns how many.
  int FinishBoots(const absl::Status& result = absl::OkStatus());
  int FinishShutDowns();
  int FinishStops(const absl::Status& result = absl::OkStatus());
  int FinishStarts(const absl::Status& result = absl::OkStatus());

  // Every row of resources and work, in a readable form: the same string, the same rows.
  [[nodiscard]] std::string Rows();

  [[nodiscard]] const HostedService& hosted() const { return *hosted_; }
  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] ManualClock& clock() { return clock_; }
  [[nodiscard]] CountedIds& ids() { return ids_; }
  [[nodiscard]] HeldHypervisor& hypervisor() { return hypervisor_; }
  [[nodiscard]] WorkQueue& work() { return *work_; }
  [[nodiscard]] const Operations& operations() const { return operations_; }

 private:
  void Start(const v1::Catalog& catalog);
  void End();
  [[nodiscard]] absl::Status Call(const std::string& name, const google::protobuf::Message& request,
                                  const std::string& tenant, google::protobuf::Message* reply);
  template <typename Reply>
  [[nodiscard]] absl::StatusOr<Reply> Call(const std::string& name, const google::protobuf::Message& request,
                                           const std::string& tenant);

  const TempDir dir_;
  ManualClock clock_;
  CountedIds ids_;
  HeldHypervisor hypervisor_;
  OperationWaiters waiters_{/*max_waiting=*/100};
  const Operations operations_{ids_, waiters_};
  const std::unique_ptr<spdlog::logger> logger_;

  // Of one server, in the order they are made.
  std::unique_ptr<const Catalog> catalog_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<const Places> places_;
  std::unique_ptr<BootDriver> boot_;
  std::unique_ptr<ShutDownDriver> shut_down_;
  std::unique_ptr<PowerDriver> stop_;
  std::unique_ptr<PowerDriver> start_;
  std::unique_ptr<WatchedDriver> watched_boot_;
  std::unique_ptr<WatchedDriver> watched_shut_down_;
  std::unique_ptr<WatchedDriver> watched_stop_;
  std::unique_ptr<WatchedDriver> watched_start_;
  std::unique_ptr<WorkQueue> work_;
  std::unique_ptr<ComputeService> service_;
  std::unique_ptr<HostedService> hosted_;
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_SUPPORT_TEST_COMPUTE_H_
