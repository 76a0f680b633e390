#include "hapax/server/store_watch.h"

#include <string>
#include <utility>

namespace hapax {

StoreWatch::StoreWatch(Store store, Events events, absl::Duration interval) {
  thread_ = std::thread([this, store = std::move(store), events = std::move(events), interval]() mutable {
    int bad_times = 0;
    do {
      const absl::Status reason = store.status();
      if (!reason.ok()) return std::move(events.on_stopped)(reason);
      if (store.health == nullptr) continue;
      const absl::Status health = store.health();
      const int before = bad_times;
      if (health.ok()) {
        bad_times = 0;
      } else if (bad_times < kBadTimes) {
        ++bad_times;
      }
      const bool was_bad = before == kBadTimes;
      const bool is_bad = bad_times == kBadTimes;
      if (was_bad != is_bad) events.on_health(health);
    } while (!stop_.AwaitFor(interval));
  });
}

StoreWatch::~StoreWatch() {
  stop_.Give();
  thread_.join();
}

StoreWatch::OnHealth LogHealth(spdlog::logger& log) {
  return [&log](const absl::Status& health) {
    if (health.ok()) return log.info("the store serves calls again");
    log.warn("the store cannot serve all calls at the moment: {}", std::string(health.message()));
  };
}

}  // namespace hapax
