#ifndef HAPAX_SERVER_STORE_WATCH_H_
#define HAPAX_SERVER_STORE_WATCH_H_

#include <functional>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "spdlog/logger.h"

namespace hapax {

// Notices that a store has stopped for ever (Engine::status), so that its server ends instead of answering UNAVAILABLE.
// Notices also that the store is of no use for a while (Engine::health), and that this is over, for the log.
//
// Thread-safety: safe. Lifetime: whatever the arguments use outlives it.
class StoreWatch {
 public:
  using OnStopped = absl::AnyInvocable<void(const absl::Status& reason) &&>;
  using OnHealth = absl::AnyInvocable<void(const absl::Status& health)>;

  struct Store {
    std::function<absl::Status()> status;
    std::function<absl::Status()> health;  // Null: always OK.
  };
  struct Events {
    OnStopped on_stopped;  // Called once, when the status is not OK. Nothing is asked or told afterwards.
    OnHealth on_health;    // Called when health was bad kBadTimes in a row, and when it is OK again.
  };
  static constexpr int kBadTimes = 4;

  // Asks every `interval`. Events come on a thread of its own.
  StoreWatch(Store store, Events events, absl::Duration interval = absl::Milliseconds(250));
  ~StoreWatch();
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;

 private:
  StopSignal stop_;
  std::thread thread_;
};

// StoreWatch::Events::on_health for a server's log, which outlives it.
[[nodiscard]] StoreWatch::OnHealth LogHealth(spdlog::logger& log);

}  // namespace hapax

#endif  // HAPAX_SERVER_STORE_WATCH_H_
