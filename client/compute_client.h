#ifndef HAPAX_CLIENT_COMPUTE_CLIENT_H_
#define HAPAX_CLIENT_COMPUTE_CLIENT_H_

#include <string_view>

#include "hapax/client/call/caller.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"

namespace hapax::client {

// The typed calls of hapax.compute.v1.Compute. Each follows the rules of Caller: a mutating call takes effect once.
//
//   ComputeClient compute(caller);
//   auto launched = compute.RunInstances(request);
//
// Asynchronous calls go through the caller: caller.Start<RunInstancesResponse>(ComputeClient::Method("RunInstances"),
// ...).
//
// Thread-safety: safe. Lifetime: the caller outlives it. Errors: those of Caller and of the server (docs/errors.md).
class ComputeClient {
 public:
  using Options = CallOptions;
  using Operation = external::longrunning::Operation;

  explicit ComputeClient(Caller& caller) : caller_(caller) {}

#define HAPAX_COMPUTE_METHOD(Name, Reply)                                                                    \
  [[nodiscard]] Result<Reply> Name(const compute::v1::Name##Request& request, const Options& options = {}) { \
    return Call<Reply>(#Name, request, options);                                                             \
  }
  HAPAX_COMPUTE_METHOD(RunInstances, compute::v1::RunInstancesResponse)
  HAPAX_COMPUTE_METHOD(TerminateInstances, compute::v1::TerminateInstancesResponse)
  HAPAX_COMPUTE_METHOD(StartInstance, Operation)
  HAPAX_COMPUTE_METHOD(StopInstance, Operation)
  HAPAX_COMPUTE_METHOD(AllocateHosts, compute::v1::AllocateHostsResponse)
  HAPAX_COMPUTE_METHOD(ReleaseHosts, compute::v1::ReleaseHostsResponse)
  HAPAX_COMPUTE_METHOD(CreateKeypair, compute::v1::CreateKeypairResponse)
  HAPAX_COMPUTE_METHOD(DeleteKeypair, compute::v1::DeleteKeypairResponse)
  HAPAX_COMPUTE_METHOD(DescribeInstances, compute::v1::DescribeInstancesResponse)
  HAPAX_COMPUTE_METHOD(DescribeHosts, compute::v1::DescribeHostsResponse)
  HAPAX_COMPUTE_METHOD(DescribeKeypairs, compute::v1::DescribeKeypairsResponse)
  HAPAX_COMPUTE_METHOD(DescribeSubnets, compute::v1::DescribeSubnetsResponse)
  HAPAX_COMPUTE_METHOD(DescribeAvailabilityZones, compute::v1::DescribeAvailabilityZonesResponse)
#undef HAPAX_COMPUTE_METHOD

  // Returns the method of this name, such as `RunInstances`, for APIs that take a descriptor (a journal). Requires:
  // Compute has the method.
  [[nodiscard]] static const google::protobuf::MethodDescriptor& Method(std::string_view name);

 private:
  template <typename Reply>
  Result<Reply> Call(std::string_view name, const google::protobuf::Message& request, const Options& options) {
    return caller_.Call<Reply>(Method(name), request, options);
  }

  Caller& caller_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_COMPUTE_CLIENT_H_
