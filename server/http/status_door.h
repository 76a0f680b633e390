#ifndef HAPAX_SERVER_HTTP_STATUS_DOOR_H_
#define HAPAX_SERVER_HTTP_STATUS_DOOR_H_

#include <atomic>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "hapax/server/http/door.h"
#include "prometheus/registry.h"

namespace hapax {

// What monitors ask for, by GET and HEAD:
//   /metrics   the metrics in Prometheus' text format
//   /healthz   200 while the process answers
//   /readyz    200 while calls are served; 503 with the reason from the beginning of a shutdown on
class StatusDoor final : public Door {
 public:
  // `unready` returns why calls are not served, or OK.
  StatusDoor(std::shared_ptr<const prometheus::Registry> metrics, std::function<absl::Status()> unready)
      : metrics_(std::move(metrics)), unready_(std::move(unready)) {}

  [[nodiscard]] bool IsFor(const HttpRequest& request) const override;
  void Serve(const HttpRequest& request, DoorCalls& calls, Done done) const override;

  void AnnounceShutdown() { is_stopping_ = true; }

 private:
  [[nodiscard]] absl::Status Readiness() const;

  const std::shared_ptr<const prometheus::Registry> metrics_;
  const std::function<absl::Status()> unready_;
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_STATUS_DOOR_H_
