#include "hapax/server/service_host.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/server_builder.h"
#include "hapax/server/grpc_call.h"

namespace hapax {
namespace {

// Calls that each event thread is ready to take at once; more wait in gRPC for a moment.
constexpr int kReadyCalls = 128;

constexpr char kHealthService[] = "grpc.health.v1.Health";
constexpr char kReflectionService[] = "grpc.reflection.v1alpha.ServerReflection";

// The other cores are for transactions, their commits, and whoever else is on the machine.
int DefaultEventThreads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2); }

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceHost>> ServiceHost::Start(const Options& options,
                                                                const std::vector<const HostedService*>& services,
                                                                const Chain& chain) {
  std::unique_ptr<ServiceHost> host(new ServiceHost(services, chain));
  grpc::ServerBuilder builder;
  // Two servers on one port would each get some of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(options.listen_address,
                           options.credentials ? options.credentials : grpc::InsecureServerCredentials(), &host->port_);
  builder.RegisterAsyncGenericService(&host->generic_service_);
  const int event_threads = options.event_threads > 0 ? options.event_threads : DefaultEventThreads();
  for (int i = 0; i < event_threads; ++i) {
    host->loops_.push_back(std::make_unique<EventLoop>(builder.AddCompletionQueue()));
  }
  host->server_ = builder.BuildAndStart();
  if (host->server_ == nullptr || host->port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.listen_address, ": it is in use, or not an address of this machine"));
  }
  for (const auto& loop : host->loops_) {
    for (int i = 0; i < kReadyCalls; ++i) GrpcStream::Accept(*host->server_->c_server(), *host, *loop);
    loop->Start();
  }
  return host;
}

ServiceHost::ServiceHost(const std::vector<const HostedService*>& services, const Chain& chain)
    : chain_(chain), reflection_(NamesOf(services)) {
  health_.SetServing("", true);
  for (const HostedService* service : services) {
    health_.SetServing(service->descriptor().full_name(), true);
    for (const Method& method : service->methods()) methods_.emplace(method.name, &method);
  }
}

ServiceHost::~ServiceHost() { Drain(absl::ZeroDuration()); }

std::vector<std::string> ServiceHost::NamesOf(const std::vector<const HostedService*>& services) {
  std::vector<std::string> names = {kHealthService, kReflectionService};
  for (const HostedService* service : services) names.push_back(service->descriptor().full_name());
  return names;
}

std::unique_ptr<GrpcStream::Handler> ServiceHost::Route(GrpcStream& stream) {
  const std::string_view name = stream.method();
  if (const auto method = methods_.find(name.substr(std::min<size_t>(1, name.size()))); method != methods_.end()) {
    return std::make_unique<GrpcCall>(*method->second, chain_, stream);
  }
  if (name == "/grpc.health.v1.Health/Check") return health_.HandleCheck(stream);
  if (name == "/grpc.health.v1.Health/Watch") return health_.HandleWatch(stream);
  if (name == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" ||
      name == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo") {
    return reflection_.Handle(stream);
  }
  return nullptr;
}

void ServiceHost::AnnounceShutdown() { health_.SetNoneServing(); }

void ServiceHost::Drain(absl::Duration grace) {
  if (server_ == nullptr) return;
  health_.EndWatches();  // They would last for all the grace.
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  loops_.clear();  // Before the server, which the calls that never arrived still refer to.
  server_ = nullptr;
}

}  // namespace hapax
