#include "hapax/bench/peers/facade.h"

#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/random/random.h"
#include "absl/strings/str_format.h"
#include "bench/v1/ledger.pb.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/service_type.h"
#include "hapax/bench/messages.h"
#include "hapax/bench/prepared_reply.h"
#include "hapax/compute/v1/compute.pb.h"

ABSL_FLAG(std::string, listen_address, "127.0.0.1:0", "HOST:PORT to serve on; port 0 takes a free one");

namespace hapax::bench {
namespace {

using ::bench::v1::PostRequest;
using ::bench::v1::PostResponse;
using compute::v1::RunInstancesRequest;
using compute::v1::RunInstancesResponse;

std::string NewId(std::string_view prefix) {
  thread_local absl::BitGen random;
  return absl::StrFormat("%s-%017x", prefix, absl::Uniform<uint64_t>(random));
}

Change ChangeFor(const RunInstancesRequest& request) {
  static const RunInstancesResponse& prepared = *new RunInstancesResponse(PreparedReply());
  Change change{.mutation = Mutation::kLaunch, .token = request.client_token(), .id = NewId("i")};
  RunInstancesResponse reply = prepared;
  reply.mutable_instances(0)->set_instance_id(change.id);
  reply.mutable_instances(0)->set_client_token(change.token);
  change.reply = reply.SerializeAsString();
  change.effect = change.reply;
  return change;
}

Change ChangeFor(const PostRequest& request) {
  Change change{.mutation = Mutation::kPost, .token = request.client_token(), .id = NewId("p")};
  PostResponse reply;
  reply.set_posting_id(change.id);
  *reply.mutable_posting() = request.posting();
  change.reply = reply.SerializeAsString();
  change.effect = request.posting().SerializeAsString();
  return change;
}

// Parses the request, as generated code does; the reply is sent as the recorded bytes.
class Facade final : public grpc::Service {
 public:
  explicit Facade(Backend& backend) {
    Serve<RunInstancesRequest>(kRunInstances, backend);
    Serve<PostRequest>(kPost, backend);
  }

 private:
  template <typename Request>
  void Serve(const char* method, Backend& backend) {
    using Handler = grpc::internal::CallbackUnaryHandler<Request, grpc::ByteBuffer>;
    AddMethod(new grpc::internal::RpcServiceMethod(method, grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodCallback(
        methods_++,
        new Handler([&backend](grpc::CallbackServerContext* context, const Request* request, grpc::ByteBuffer* reply) {
          grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
          if (request->client_token().empty()) {
            reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "client_token is empty"});
            return reactor;
          }
          backend.RunOnce(ChangeFor(*request), [reactor, reply](const grpc::Status& status, std::string_view bytes) {
            const grpc::Slice slice(bytes.data(), bytes.size());
            *reply = grpc::ByteBuffer(&slice, 1);
            reactor->Finish(status);
          });
          return reactor;
        }));
  }

  int methods_ = 0;
};

}  // namespace

int Serve(std::string_view name, absl::AnyInvocable<std::unique_ptr<Backend>()> make_backend) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const std::unique_ptr<Backend> backend = make_backend();
  if (backend == nullptr) return 1;
  Facade facade(*backend);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::GetFlag(FLAGS_listen_address), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&facade);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("%s: listening on 127.0.0.1:%d\n", std::string(name).c_str(), port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  server->Wait();
  return 0;
}

}  // namespace hapax::bench
