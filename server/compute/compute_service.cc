#include "hapax/server/compute/compute_service.h"

#include <utility>

#include "hapax/server/compute/canonical_requests.h"

namespace hapax::compute {

std::unique_ptr<HostedService> ComputeService::Host() const {
  using namespace v1;  // NOLINT(google-build-using-namespace): the requests and responses, all of them.
  const auto& descriptor = *RunInstancesRequest::descriptor()->file()->FindServiceByName("Compute");
  auto service = std::make_unique<HostedService>(descriptor);
  service->AddResolver("placement", [this](const PlaceHints& hints) { return places_.Resolve(hints); });

  // Binds a handler of this class.
  const auto bind = [this](auto handler) {
    return [this, handler](auto&&... arguments) {
      return (this->*handler)(std::forward<decltype(arguments)>(arguments)...);
    };
  };
  using Self = ComputeService;
  service->Mutation<RunInstancesRequest, RunInstancesResponse>("RunInstances", bind(&Self::RunInstances),
                                                               CanonicalizeRunInstances);
  service->Mutation<AllocateHostsRequest, AllocateHostsResponse>("AllocateHosts", bind(&Self::AllocateHosts),
                                                                 CanonicalizeAllocateHosts);
  service->Mutation<ReleaseHostsRequest, ReleaseHostsResponse>("ReleaseHosts", bind(&Self::ReleaseHosts));
  service->PreparedMutation<CreateKeypairRequest, KeyMaterial, CreateKeypairResponse>(
      "CreateKeypair", &Self::PrepareKeypair, bind(&Self::CreateKeypair), CanonicalizeCreateKeypair);
  service->Mutation<DeleteKeypairRequest, DeleteKeypairResponse>("DeleteKeypair", bind(&Self::DeleteKeypair),
                                                                 CanonicalizeDeleteKeypair);
  service->Mutation<TerminateInstancesRequest, TerminateInstancesResponse>("TerminateInstances",
                                                                           bind(&Self::TerminateInstances));
  service->Mutation<StartInstanceRequest, external::longrunning::Operation>("StartInstance", bind(&Self::StartInstance),
                                                                            CanonicalizeStartInstance);
  service->Mutation<StopInstanceRequest, external::longrunning::Operation>("StopInstance", bind(&Self::StopInstance),
                                                                           CanonicalizeStopInstance);
  service->SetOperationRefresher(Operations::Refresh);
  service->Read<DescribeInstancesRequest, DescribeInstancesResponse>("DescribeInstances",
                                                                     bind(&Self::DescribeInstances));
  service->Read<DescribeHostsRequest, DescribeHostsResponse>("DescribeHosts", bind(&Self::DescribeHosts));
  service->Read<DescribeKeypairsRequest, DescribeKeypairsResponse>("DescribeKeypairs", bind(&Self::DescribeKeypairs));
  service->Read<DescribeSubnetsRequest, DescribeSubnetsResponse>("DescribeSubnets", bind(&Self::DescribeSubnets));
  service->Read<DescribeAvailabilityZonesRequest, DescribeAvailabilityZonesResponse>(
      "DescribeAvailabilityZones", bind(&Self::DescribeAvailabilityZones));
  return service;
}

}  // namespace hapax::compute
