// A bare gRPC callback server that answers RunInstances with one prepared reply: the ceiling that Hapax is
// measured against. It parses the request and serializes the reply, as generated code does, and nothing else.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/service_type.h"
#include "hapax/compute/v1/compute.pb.h"

ABSL_FLAG(std::string, listen_address, "127.0.0.1:0", "HOST:PORT to serve on; port 0 takes a free one");

namespace {

using hapax::compute::v1::RunInstancesRequest;
using hapax::compute::v1::RunInstancesResponse;

// As large as a real reply to a launch of one instance.
RunInstancesResponse PreparedReply() {
  RunInstancesResponse reply;
  reply.set_reservation_id("r-0123456789abcdef0");
  reply.set_owner_id("default");
  auto& instance = *reply.add_instances();
  instance.set_instance_id("i-0123456789abcdef0");
  instance.set_reservation_id("r-0123456789abcdef0");
  instance.set_image_id("ami-b232d0db");
  instance.set_instance_type("m5.large");
  instance.set_state(hapax::compute::v1::INSTANCE_STATE_PENDING);
  instance.set_region("us-east-1");
  instance.set_availability_zone("us-east-1a");
  instance.set_subnet_id("subnet-use1a");
  instance.set_private_ip_address("10.0.100.200");
  instance.mutable_launch_time()->set_seconds(1'700'000'000);
  instance.mutable_launch_time()->set_nanos(123'456'000);
  instance.set_client_token("550e8400-e29b-41d4-a716-446655440000");
  return reply;
}

class EchoService final : public grpc::Service {
 public:
  EchoService() {
    using Handler = grpc::internal::CallbackUnaryHandler<RunInstancesRequest, RunInstancesResponse>;
    AddMethod(new grpc::internal::RpcServiceMethod("/hapax.compute.v1.Compute/RunInstances",
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodCallback(0, new Handler([this](grpc::CallbackServerContext* context, const RunInstancesRequest*,
                                             RunInstancesResponse* reply) {
                         *reply = reply_;
                         grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
                         reactor->Finish(grpc::Status::OK);
                         return reactor;
                       }));
  }

 private:
  const RunInstancesResponse reply_ = PreparedReply();
};

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  EchoService service;
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
