#ifndef HAPAX_SERVER_STORE_WATCH_H_
#define HAPAX_SERVER_STORE_WATCH_H_

#include <functional>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"

namespace hapax {

// Notices that a store has stopped for ever (Engine::status), so that its server ends instead of answering UNAVAILABLE.
//
// Thread-safety: safe. Lifetime: whatever the arguments use outlives it.
class StoreWatch {
 public:
  using OnStopped = absl::AnyInvocable<void(const absl::Status& reason) &&>;

  // Calls `on_stopped` once, on a thread of its own, when `status` is not OK. Asks every `interval`.
  StoreWatch(std::function<absl::Status()> status, OnStopped on_stopped,
             absl::Duration interval = absl::Milliseconds(250));
  ~StoreWatch();
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;

 private:
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_STORE_WATCH_H_
