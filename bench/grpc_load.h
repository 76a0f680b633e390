#ifndef HAPAX_BENCH_GRPC_LOAD_H_
#define HAPAX_BENCH_GRPC_LOAD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "hapax/bench/load_client.h"

namespace hapax::bench {

// Calls one unary method over gRPC, in bytes. Its calls alternate between its connections.
class GrpcLoad final : public LoadClient {
 public:
  // `method` is a path, such as `/hapax.compute.v1.Compute/RunInstances`.
  GrpcLoad(const std::string& target, int connections, std::string method);

  absl::Status Connect() override;

  Recorder Run(const LoadPlan& plan, Requests& requests) override;

 private:
  struct Call;
  class Loop;

  const std::string method_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
};

// Makes one call, and returns the reply's bytes or the error.
absl::StatusOr<std::string> CallOnce(const std::string& target, const std::string& method, const std::string& request);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_GRPC_LOAD_H_
