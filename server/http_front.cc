#include "hapax/server/http_front.h"

#include <utility>

#include "hapax/base/option_error.h"

namespace hapax {

absl::StatusOr<std::unique_ptr<HttpFront>> HttpFront::Start(const Options& options,
                                                            const std::vector<std::unique_ptr<Door>>& doors,
                                                            const std::vector<const HostedService*>& services,
                                                            const Chain& chain,
                                                            std::shared_ptr<const prometheus::Registry> metrics,
                                                            std::function<absl::Status()> unready) {
  std::unique_ptr<HttpFront> front(new HttpFront(services, chain, std::move(metrics), std::move(unready)));
  if (!options.metrics_address.empty()) {
    auto host = HttpHost::Start(
        {.listen_address = options.metrics_address, .event_threads = 1, .tls = nullptr, .limits = options.limits},
        {&front->status_door_}, front->calls_);
    if (!host.ok()) return OptionError("metrics_address", options.metrics_address, host.status());
    front->metrics_ = *std::move(host);
  }
  if (!options.http_address.empty()) {
    std::vector<const Door*> all = {&front->status_door_};
    for (const auto& door : doors) all.push_back(door.get());
    auto host = HttpHost::Start(
        {.listen_address = options.http_address, .event_threads = 0, .tls = options.tls, .limits = options.limits},
        std::move(all), front->calls_);
    if (!host.ok()) return OptionError("http_address", options.http_address, host.status());
    front->http_ = *std::move(host);
  }
  return front;
}

void HttpFront::Drain(absl::Duration grace) {
  if (http_ != nullptr) http_->Drain(grace);
}

}  // namespace hapax
