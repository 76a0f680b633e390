#include "hapax/client/call/calls_in_flight.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/check.h"

namespace hapax::client {
namespace {

// A callback that this thread is running.
struct Callback {
  const CallsInFlight* calls;
  const Callback* outer;
};
thread_local const Callback* innermost = nullptr;

bool IsInCallbackOf(const CallsInFlight* calls) {
  for (const Callback* callback = innermost; callback != nullptr; callback = callback->outer) {
    if (callback->calls == calls) return true;
  }
  return false;
}

}  // namespace

struct CallsInFlight::State {
  absl::Mutex mu;
  uint64_t last_number ABSL_GUARDED_BY(mu) = 0;
  std::unordered_map<uint64_t, std::shared_ptr<CancellableCall>> calls ABSL_GUARDED_BY(mu);
};

CallsInFlight::CallsInFlight() : state_(std::make_unique<State>()) {}

CallsInFlight::~CallsInFlight() {
  if (!process_.IsThisOne()) {
    static_cast<void>(state_.release());
    return;
  }
  HAPAX_CHECK(!IsInCallbackOf(this), "a caller must not be destroyed in a callback of its own: it waits for them");
  std::vector<std::shared_ptr<CancellableCall>> calls;
  {
    absl::MutexLock lock(&state_->mu);
    for (const auto& [number, call] : state_->calls) calls.push_back(call);
  }
  for (const auto& call : calls) call->Cancel();
  calls.clear();
  absl::MutexLock lock(&state_->mu);
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) { return state_->calls.empty(); };
  state_->mu.Await(absl::Condition(&none));
}

uint64_t CallsInFlight::NewNumber() {
  absl::MutexLock lock(&state_->mu);
  return ++state_->last_number;
}

void CallsInFlight::Add(uint64_t number, std::shared_ptr<CancellableCall> call) {
  absl::MutexLock lock(&state_->mu);
  state_->calls.emplace(number, std::move(call));
}

void CallsInFlight::Conclude(uint64_t number, absl::FunctionRef<void()> callback) {
  const Callback frame{.calls = this, .outer = innermost};
  innermost = &frame;
  callback();
  innermost = frame.outer;
  decltype(State::calls)::node_type concluded;  // Destroyed without the lock.
  absl::MutexLock lock(&state_->mu);
  concluded = state_->calls.extract(number);
}

}  // namespace hapax::client
