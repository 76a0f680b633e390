#include "hapax/server/grpc/service_host.h"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/server_builder.h"
#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/grpc/channel_arguments.h"
#include "hapax/server/grpc/grpc_call.h"

namespace hapax {
namespace {

// How many calls each event thread can take at once; more wait in gRPC for a moment.
constexpr int kReadyCalls = 128;

// How many messages of Health and Reflection each event thread reads at once.
constexpr size_t kStrangersRead = 16;

constexpr char kHealthService[] = "grpc.health.v1.Health";
constexpr char kReflectionService[] = "grpc.reflection.v1alpha.ServerReflection";

// The other cores are for transactions, their commits, and other processes.
int DefaultEventThreads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2); }

// Of `package.Service/Method`.
std::string ServiceOf(const TranslatedMethod& method) { return method.name.substr(0, method.name.find('/')); }

// Each service once.
std::set<std::string> ServicesOf(absl::Span<const TranslatedMethod> methods) {
  std::set<std::string> names;
  for (const TranslatedMethod& method : methods) names.insert(ServiceOf(method));
  return names;
}

std::vector<std::string> NamesOf(const std::vector<const HostedService*>& services,
                                 absl::Span<const TranslatedMethod> translated_methods) {
  std::vector<std::string> names = {kHealthService, kReflectionService};
  for (const HostedService* service : services) names.push_back(service->name());
  for (const std::string& name : ServicesOf(translated_methods)) names.push_back(name);
  return names;
}

bool IsHostedUnary(const std::vector<const HostedService*>& services, std::string_view name) {
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (method.name == name) return method.stream == nullptr;
    }
  }
  return false;
}

absl::Status CheckMethods(const std::vector<const HostedService*>& services,
                          absl::Span<const TranslatedMethod> translated_methods) {
  std::set<std::string_view> names;
  for (const TranslatedMethod& method : translated_methods) {
    if (!names.insert(method.name).second) {
      return absl::InvalidArgumentError(absl::StrCat("translated method ", method.name, ": is given twice"));
    }
    if (!IsHostedUnary(services, method.first_method)) {
      return absl::InvalidArgumentError(absl::StrCat("translated method ", method.name, ": must begin with a hosted ",
                                                     "unary method, and ", std::string(method.first_method),
                                                     " is none"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServiceHost>> ServiceHost::Start(const Options& options,
                                                                const std::vector<const HostedService*>& services,
                                                                const Chain& chain) {
  std::unique_ptr<ServiceHost> host(new ServiceHost(services, options.translated_methods, chain));
  HAPAX_ASSIGN_OR_RETURN(
      host->listener_,
      Listener::Open(options.listen_address, {.max_connections = options.limits.max_connections,
                                              .max_stranger_connections = options.limits.max_stranger_connections}));
  host->port_ = host->listener_->port();
  grpc::ServerBuilder builder;
  ApplyTo(builder, options.limits);
  auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      options.credentials ? options.credentials : grpc::InsecureServerCredentials());
  builder.RegisterAsyncGenericService(&host->generic_service_);
  const int event_threads = options.event_threads > 0 ? options.event_threads : DefaultEventThreads();
  for (int i = 0; i < event_threads; ++i) {
    host->loops_.push_back(std::make_unique<EventLoop>(builder.AddCompletionQueue()));
  }
  host->server_ = builder.BuildAndStart();
  if (host->server_ == nullptr) return absl::UnavailableError("gRPC cannot serve there with these credentials");
  host->watch_ = std::make_unique<StrangerWatch>(*host->listener_);
  for (const auto& loop : host->loops_) {
    host->sources_.push_back(std::make_unique<GrpcStream::Source>(
        GrpcStream::Source{.server = *host->server_->c_server(),
                           .loop = *loop,
                           .router = *host,
                           .max_open = static_cast<size_t>(options.limits.max_pending_calls),
                           .max_strangers = kStrangersRead,
                           .request_timeout = options.limits.request_timeout,
                           .watch = *host->watch_,
                           .listener = *host->listener_}));
    for (int i = 0; i < kReadyCalls; ++i) GrpcStream::Accept(*host->sources_.back());
    loop->Start();
  }
  host->listener_->Start(std::move(acceptor));
  return host;
}

absl::Status ServiceHost::CheckNames(const std::vector<const HostedService*>& services,
                                     absl::Span<const TranslatedMethod> translated_methods) {
  std::vector<std::string> names = NamesOf(services, translated_methods);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return CheckMethods(services, translated_methods);
  return absl::InvalidArgumentError(
      absl::StrCat("service ", *twice, ": is hosted twice; of each name one service is allowed"));
}

ServiceHost::ServiceHost(const std::vector<const HostedService*>& services,
                         absl::Span<const TranslatedMethod> translated_methods, const Chain& chain)
    : chain_(chain), reflection_(NamesOf(services, translated_methods)) {
  health_.SetServing("", true);
  for (const HostedService* service : services) {
    health_.SetServing(service->name(), true);
    for (const Method& method : service->methods()) methods_.emplace(method.name, &method);
  }
  for (const std::string& service : ServicesOf(translated_methods)) health_.SetServing(service, true);
  for (const TranslatedMethod& method : translated_methods) translated_methods_.emplace(method.name, &method);
}

ServiceHost::~ServiceHost() { Drain(absl::ZeroDuration()); }

std::unique_ptr<GrpcStream::Handler> ServiceHost::Route(GrpcStream& stream) {
  const std::string_view name = stream.method();
  const std::string_view path = name.substr(std::min<size_t>(1, name.size()));
  if (const auto method = methods_.find(path); method != methods_.end()) {
    return std::make_unique<GrpcCall>(*method->second, chain_, stream);
  }
  if (const auto method = translated_methods_.find(path); method != translated_methods_.end()) {
    return std::make_unique<TranslatedCall>(*method->second, methods_, chain_, stream);
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
  listener_->Stop();
  health_.EndWatches();  // They would last for the whole grace.
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  loops_.clear();  // Before the server, which calls that never arrived refer to.
  server_ = nullptr;
}

}  // namespace hapax
