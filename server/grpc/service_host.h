#ifndef HAPAX_SERVER_GRPC_SERVICE_HOST_H_
#define HAPAX_SERVER_GRPC_SERVICE_HOST_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/server/grpc/event_loop.h"
#include "hapax/server/grpc/grpc_stream.h"
#include "hapax/server/grpc/health.h"
#include "hapax/server/grpc/listener.h"
#include "hapax/server/grpc/reflection.h"
#include "hapax/server/grpc/stranger_watch.h"
#include "hapax/server/grpc/translated_call.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/translated_method.h"
#include "hapax/server/options/connection_limits.h"

namespace hapax {

// A gRPC server that takes every call of the hosted services through a chain of interceptors, as bytes.
// Server reflection and grpc.health.v1.Health are always on.
//
//   HAPAX_ASSIGN_OR_RETURN(auto host, ServiceHost::Start({.listen_address = "127.0.0.1:0"}, services, chain));
//   ...
//   host->Drain(absl::Seconds(30));
//
// Thread-safety: Start and Drain on one thread. Calls run on its event threads.
// Lifetime: services and chain outlive it, and so does everything that their calls use.
class ServiceHost : private GrpcStream::Router {
 public:
  struct Options {
    // `HOST:PORT`; port 0 takes a free one.
    std::string listen_address;
    // Threads that serve connections; 0: half the number of cores, but at least one.
    int event_threads = 0;
    // Null: connections are not encrypted.
    std::shared_ptr<grpc::ServerCredentials> credentials;
    ConnectionLimits limits;
    // Methods of other APIs. Their services are in Health and Reflection, too. Outlive the host.
    absl::Span<const TranslatedMethod> translated_methods;
  };

  // Errors: INVALID_ARGUMENT, naming the service or method, if two services have one name, or one has that of Health or
  // Reflection, or if a translated method is given twice or begins with a method that is not a hosted unary one.
  [[nodiscard]] static absl::Status CheckNames(const std::vector<const HostedService*>& services,
                                               absl::Span<const TranslatedMethod> translated_methods = {});

  // Requires: `services` are compiled, and their names checked.
  // Errors: UNAVAILABLE, the address cannot be listened on, or gRPC does not accept the credentials.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ServiceHost>> Start(
      const Options& options, const std::vector<const HostedService*>& services, const Chain& chain);

  // Cancels the calls that Drain left.
  ~ServiceHost() override;
  ServiceHost(const ServiceHost&) = delete;
  ServiceHost& operator=(const ServiceHost&) = delete;

  // The port it listens on.
  [[nodiscard]] int port() const { return port_; }
  // Addresses of the host's name that are not this machine's; nobody listens there.
  [[nodiscard]] const std::vector<std::string>& skipped_addresses() const { return listener_->skipped_addresses(); }

  // Sets grpc.health.v1.Health to NOT_SERVING. Calls are still served.
  void AnnounceShutdown();

  // Accepts no more calls, ends health watches, and waits for running calls for at most `grace`; then cancels the rest.
  void Drain(absl::Duration grace);

 private:
  ServiceHost(const std::vector<const HostedService*>& services, absl::Span<const TranslatedMethod> translated_methods,
              const Chain& chain);

  std::unique_ptr<GrpcStream::Handler> Route(GrpcStream& stream) override;

  const Chain& chain_;
  TranslatedCall::Methods methods_;  // By name; a path is a slash and that.
  absl::flat_hash_map<std::string_view, const TranslatedMethod*> translated_methods_;  // Likewise.
  Health health_;
  const Reflection reflection_;
  // Makes gRPC accept all methods; GrpcStream takes the calls from the server itself.
  grpc::AsyncGenericService generic_service_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::unique_ptr<GrpcStream::Source>> sources_;  // One for each loop.
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<StrangerWatch> watch_;
  int port_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_SERVICE_HOST_H_
