#include "hapax/server/service_host.h"

#include <list>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/service_type.h"
#include "hapax/server/grpc_call.h"

namespace hapax {

// Registers each method of a service as generated code would with WithRawCallbackMethod_: request and
// reply stay bytes.
class ServiceHost::RawService final : public grpc::Service {
 public:
  RawService(const HostedService& service, const Chain& chain) {
    using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
    int index = 0;
    for (const Method& method : service.methods()) {
      const std::string& path = paths_.emplace_back("/" + method.name);
      AddMethod(new grpc::internal::RpcServiceMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
      MarkMethodRawCallback(
          index++, new Handler([&method, &chain](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* reply) {
            auto* call = new GrpcCall(method, *context, *request, *reply);
            chain.Run(*call);
            return call;
          }));
    }
  }

 private:
  std::list<std::string> paths_;  // gRPC keeps pointers to them.
};

absl::StatusOr<std::unique_ptr<ServiceHost>> ServiceHost::Start(const Options& options,
                                                                const std::vector<const HostedService*>& services,
                                                                const Chain& chain) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<ServiceHost> host(new ServiceHost());
  grpc::ServerBuilder builder;
  // Two servers on one port would each get some of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(options.listen_address, grpc::InsecureServerCredentials(), &host->port_);
  for (const HostedService* service : services) {
    host->raw_services_.push_back(std::make_unique<RawService>(*service, chain));
    // Reflection finds the service by this name among those that are linked in.
    builder.RegisterService(host->raw_services_.back().get());
  }
  host->server_ = builder.BuildAndStart();
  if (host->server_ == nullptr || host->port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.listen_address, ": it is in use, or not an address of this machine"));
  }
  for (const HostedService* service : services) host->SetServing(service->descriptor().full_name(), true);
  return host;
}

void ServiceHost::SetServing(const std::string& service, bool serving) {
  auto* health = server_->GetHealthCheckService();
  if (health != nullptr) health->SetServingStatus(service, serving);
}

ServiceHost::~ServiceHost() { Drain(absl::ZeroDuration()); }

void ServiceHost::AnnounceShutdown() {
  auto* health = server_->GetHealthCheckService();
  if (health != nullptr) health->SetServingStatus(false);
}

void ServiceHost::Drain(absl::Duration grace) {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  server_->Wait();
  server_ = nullptr;
}

}  // namespace hapax
