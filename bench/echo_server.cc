// A bare gRPC callback server with prepared replies: the upper limit that Hapax is compared with. Like generated code
// it parses each request and serializes its reply, and does nothing else.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "bench/v1/ledger.pb.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/service_type.h"
#include "hapax/bench/messages.h"
#include "hapax/bench/prepared_reply.h"
#include "hapax/compute/v1/compute.pb.h"

ABSL_FLAG(std::string, listen_address, "127.0.0.1:0", "HOST:PORT to serve on; port 0 takes a free one");
ABSL_FLAG(int, instances, 1, "Instances in the reply to each launch");

namespace {

using bench::v1::PostRequest;
using bench::v1::PostResponse;
using hapax::compute::v1::DescribeInstancesRequest;
using hapax::compute::v1::DescribeInstancesResponse;
using hapax::compute::v1::RunInstancesRequest;
using hapax::compute::v1::RunInstancesResponse;

class EchoService final : public grpc::Service {
 public:
  explicit EchoService(int instances)
      : protected_launch_(hapax::bench::PreparedReply(instances)),
        unprotected_launch_(hapax::bench::PreparedReply(instances, /*with_token=*/false)),
        post_(hapax::bench::PreparedPost()),
        list_(hapax::bench::PreparedList()) {
    Answer<RunInstancesRequest, RunInstancesResponse>(
        hapax::bench::kRunInstances, [this](const RunInstancesRequest& request) -> const RunInstancesResponse& {
          return request.client_token().empty() ? unprotected_launch_ : protected_launch_;
        });
    Answer<PostRequest, PostResponse>(hapax::bench::kPost,
                                      [this](const PostRequest&) -> const PostResponse& { return post_; });
    Answer<DescribeInstancesRequest, DescribeInstancesResponse>(
        hapax::bench::kDescribeInstances,
        [this](const DescribeInstancesRequest&) -> const DescribeInstancesResponse& { return list_; });
  }

 private:
  // Registers a method, as generated code does.
  template <typename Request, typename Reply, typename Pick>
  void Answer(const char* method, Pick pick) {
    using Handler = grpc::internal::CallbackUnaryHandler<Request, Reply>;
    AddMethod(new grpc::internal::RpcServiceMethod(method, grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodCallback(methods_++,
                       new Handler([pick](grpc::CallbackServerContext* context, const Request* request, Reply* reply) {
                         *reply = pick(*request);
                         grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
                         reactor->Finish(grpc::Status::OK);
                         return reactor;
                       }));
  }

  const RunInstancesResponse protected_launch_;
  const RunInstancesResponse unprotected_launch_;
  const PostResponse post_;
  const DescribeInstancesResponse list_;
  int methods_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  EchoService service(absl::GetFlag(FLAGS_instances));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::GetFlag(FLAGS_listen_address), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("bench_echo: listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  server->Wait();
  return 0;
}
