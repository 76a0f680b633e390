#include "hapax/server/compute/hypervisor/simulated_hypervisor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "hapax/base/clock.h"

namespace hapax::compute {
namespace {

constexpr absl::Duration kLeastSleep = absl::Milliseconds(5);

}  // namespace

SimulatedHypervisor::SimulatedHypervisor(absl::Duration latency) : latency_(latency), thread_([this] { Run(); }) {}

SimulatedHypervisor::~SimulatedHypervisor() {
  {
    MonitorLock lock(&mu_);
    closing_ = true;
    mu_.WakeAll();
  }
  thread_.join();
}

void SimulatedHypervisor::Boot(const BootSpec& /*spec*/, Done done) { Add(std::move(done)); }

void SimulatedHypervisor::ShutDown(const std::string& /*instance_id*/, Done done) { Add(std::move(done)); }

void SimulatedHypervisor::Stop(const std::string& /*instance_id*/, const std::string& /*task*/, Done done) {
  Add(std::move(done));
}

void SimulatedHypervisor::Start(const std::string& /*instance_id*/, const std::string& /*task*/, Done done) {
  Add(std::move(done));
}

void SimulatedHypervisor::Add(Done done) {
  MonitorLock lock(&mu_);
  if (pending_.empty()) mu_.WakeAll();
  pending_.push_back({.due = MonotonicNow() + latency_, .done = std::move(done)});
}

void SimulatedHypervisor::Run() {
  const auto something_pends = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || !pending_.empty(); };
  const auto is_closing = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_; };
  while (true) {
    std::vector<Done> due;
    {
      MonitorLock lock(&mu_);
      mu_.Await(something_pends);
      if (closing_) return;
      const absl::Duration now = MonotonicNow();
      while (!pending_.empty() && pending_.front().due <= now) {
        due.push_back(std::move(pending_.front().done));
        pending_.pop_front();
      }
      if (due.empty()) {
        // Sleeps for a minimum time, so that a stream of launches is completed many at a time.
        const absl::Duration wakeup = std::max(pending_.front().due, now + std::min(kLeastSleep, latency_));
        if (mu_.AwaitUntil(is_closing, wakeup)) return;
      }
    }
    for (Done& done : due) std::move(done)(absl::OkStatus());
  }
}

}  // namespace hapax::compute
