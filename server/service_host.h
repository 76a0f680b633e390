#ifndef HAPAX_SERVER_SERVICE_HOST_H_
#define HAPAX_SERVER_SERVICE_HOST_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/server/hosted_service.h"

namespace hapax {

// A gRPC server that takes every call of the hosted services through a chain of interceptors, as bytes.
// Server reflection and grpc.health.v1.Health are always on.
//
//   HAPAX_ASSIGN_OR_RETURN(auto host, ServiceHost::Start({.listen_address = "127.0.0.1:0"}, services, chain));
//   ...
//   host->Drain(absl::Seconds(30));
//
// Thread-safety: Start and Drain on one thread. Calls run on gRPC's event threads.
// Lifetime: services and chain outlive it; so does whatever their calls use.
class ServiceHost {
 public:
  struct Options {
    // `HOST:PORT`; port 0 takes a free one.
    std::string listen_address;
  };

  // `services` are compiled.
  // Errors: UNAVAILABLE when the address cannot be listened on.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ServiceHost>> Start(
      const Options& options, const std::vector<const HostedService*>& services, const Chain& chain);

  // Cancels what Drain left.
  ~ServiceHost();
  ServiceHost(const ServiceHost&) = delete;
  ServiceHost& operator=(const ServiceHost&) = delete;

  // The port it listens on.
  [[nodiscard]] int port() const { return port_; }

  // Has grpc.health.v1.Health say NOT_SERVING from now on. Calls are still served.
  void AnnounceShutdown();

  // Takes no more calls and waits for those that run, for `grace` at the most; what still runs then is
  // cancelled.
  void Drain(absl::Duration grace);

 private:
  class RawService;

  ServiceHost() = default;

  void SetServing(const std::string& service, bool serving);

  std::vector<std::unique_ptr<RawService>> raw_services_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_SERVICE_HOST_H_
