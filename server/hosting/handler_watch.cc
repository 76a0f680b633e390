#include "hapax/server/hosting/handler_watch.h"

#include <string>

namespace hapax {

HandlerWatch::HandlerWatch(prometheus::Registry& registry, spdlog::logger& logger)
    : slow_(prometheus::BuildCounter()
                .Name("hapax_slow_handlers_total")
                .Help("Runs of a handler that took longer than 100 ms.")
                .Register(registry)),
      logger_(logger) {}

void HandlerWatch::OnSlow(std::string_view handler, absl::Duration duration) const {
  slow_.Add({{"handler", std::string(handler)}}).Increment();
  logger_.warn("the {} took {:.3f} s", handler, absl::ToDoubleSeconds(duration));
}

void HandlerWatch::OnHookError(std::string_view handler, const absl::Status& error) const {
  logger_.error("an OnCommit hook of the {}: {}", handler, std::string(error.message()));
}

}  // namespace hapax
