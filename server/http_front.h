#ifndef HAPAX_SERVER_HTTP_FRONT_H_
#define HAPAX_SERVER_HTTP_FRONT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/http/door.h"
#include "hapax/server/http/http_call.h"
#include "hapax/server/http/http_host.h"
#include "hapax/server/http/http_tls.h"
#include "hapax/server/http/status_door.h"
#include "hapax/server/options/connection_limits.h"
#include "prometheus/registry.h"

namespace hapax {

// All that a server serves over HTTP: the doors, and what monitors ask for, on `http_address`; the latter alone on
// `metrics_address`, unencrypted.
//
// Thread-safety: for one thread. Lifetime: doors, services and chain outlive it.
class HttpFront {
 public:
  struct Options {
    std::string http_address;     // Empty: not served.
    std::string metrics_address;  // Empty: not served.
    ConnectionLimits limits;
    const HttpTls* tls = nullptr;  // Null: not encrypted.
  };

  // Errors: UNAVAILABLE, as OptionError of one of the addresses: it cannot be listened on.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<HttpFront>> Start(
      const Options& options, const std::vector<std::unique_ptr<Door>>& doors,
      const std::vector<const HostedService*>& services, const Chain& chain,
      std::shared_ptr<const prometheus::Registry> metrics, std::function<absl::Status()> unready);

  // The port of `http_address`; 0 if it is empty.
  [[nodiscard]] int port() const { return http_ == nullptr ? 0 : http_->port(); }

  // From now on it is not ready. Requests are still served.
  void AnnounceShutdown() { status_door_.AnnounceShutdown(); }
  // HttpHost::Drain of the doors. The metrics' address is served until the end.
  void Drain(absl::Duration grace);

 private:
  HttpFront(const std::vector<const HostedService*>& services, const Chain& chain,
            std::shared_ptr<const prometheus::Registry> metrics, std::function<absl::Status()> unready)
      : calls_(services, chain), status_door_(std::move(metrics), std::move(unready)) {}

  ChainCalls calls_;
  StatusDoor status_door_;
  std::unique_ptr<HttpHost> http_;
  std::unique_ptr<HttpHost> metrics_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_FRONT_H_
