#ifndef HAPAX_SERVER_HOSTING_HANDLER_WATCH_H_
#define HAPAX_SERVER_HOSTING_HANDLER_WATCH_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/storage/service_table.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// Reports slow handlers and throwing hooks to the operator. Handlers of mutations run one at a time, so a slow one
// delays every mutation of the server.
//
// Metrics: `hapax_slow_handlers_total{handler}`.
// Thread-safety: safe.
// Lifetime: registry and logger outlive it.
class HandlerWatch final : public HookErrors {
 public:
  // Slower handlers are logged and counted.
  static constexpr absl::Duration kSlow = absl::Milliseconds(100);

  HandlerWatch(prometheus::Registry& registry, spdlog::logger& logger);

  // `handler`: the kind and the method, such as `mutation of hapax.examples.v1.Payments/Charge`.
  void OnEnd(std::string_view handler, absl::Duration duration) const {
    if (duration > kSlow) [[unlikely]] {
      OnSlow(handler, duration);
    }
  }
  void OnHookError(std::string_view handler, const absl::Status& error) const override;

 private:
  void OnSlow(std::string_view handler, absl::Duration duration) const;

  prometheus::Family<prometheus::Counter>& slow_;
  spdlog::logger& logger_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_HANDLER_WATCH_H_
