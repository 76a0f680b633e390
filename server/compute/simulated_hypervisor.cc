#include "hapax/server/compute/simulated_hypervisor.h"

#include <utility>

#include "absl/time/clock.h"

namespace hapax::compute {

SimulatedHypervisor::SimulatedHypervisor(absl::Duration latency) : latency_(latency), thread_([this] { Run(); }) {}

SimulatedHypervisor::~SimulatedHypervisor() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
  }
  thread_.join();
}

void SimulatedHypervisor::Boot(const std::string& /*instance_id*/, Done done) { Add(std::move(done)); }

void SimulatedHypervisor::ShutDown(const std::string& /*instance_id*/, Done done) { Add(std::move(done)); }

void SimulatedHypervisor::Add(Done done) {
  absl::MutexLock lock(&mu_);
  pending_.push_back({.due = absl::Now() + latency_, .done = std::move(done)});
}

void SimulatedHypervisor::Run() {
  const auto something_pends = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || !pending_.empty(); };
  while (true) {
    Done done;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(&something_pends));
      if (closing_) return;
      const absl::Time due = pending_.front().due;
      if (mu_.AwaitWithDeadline(absl::Condition(&closing_), due)) return;
      done = std::move(pending_.front().done);
      pending_.pop_front();
    }
    std::move(done)();
  }
}

}  // namespace hapax::compute
