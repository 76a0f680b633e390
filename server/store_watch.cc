#include "hapax/server/store_watch.h"

#include <utility>

namespace hapax {

StoreWatch::StoreWatch(std::function<absl::Status()> status, OnStopped on_stopped, absl::Duration interval) {
  thread_ = std::thread([this, status = std::move(status), on_stopped = std::move(on_stopped), interval]() mutable {
    do {
      const absl::Status reason = status();
      if (!reason.ok()) return std::move(on_stopped)(reason);
    } while (!stop_.AwaitFor(interval));
  });
}

StoreWatch::~StoreWatch() {
  stop_.Give();
  thread_.join();
}

}  // namespace hapax
