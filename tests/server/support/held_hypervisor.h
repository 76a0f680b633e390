#ifndef HAPAX_TESTS_SERVER_SUPPORT_HELD_HYPERVISOR_H_
#define HAPAX_TESTS_SERVER_SUPPORT_HELD_HYPERVISOR_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/server/compute/hypervisor/hypervisor.h"

namespace hapax::compute {

// A hypervisor that gets nothing done until the test says so. Thread-safety: safe.
class HeldHypervisor final : public Hypervisor {
 public:
  void Boot(const BootSpec& spec, Done done) override {
    {
      absl::MutexLock lock(&mu_);
      specs_.push_back(spec);
    }
    Hold(boots_, spec.instance.instance_id(), std::move(done));
  }
  void ShutDown(const std::string& instance_id, Done done) override { Hold(shut_downs_, instance_id, std::move(done)); }
  void Stop(const std::string& instance_id, const std::string& /*task*/, Done done) override {
    Hold(stops_, instance_id, std::move(done));
  }
  void Start(const std::string& instance_id, const std::string& /*task*/, Done done) override {
    Hold(starts_, instance_id, std::move(done));
  }

  // The instances that it was told to bring up, or down, and that are not; in the order of their ids.
  [[nodiscard]] std::vector<std::string> booting() const { return Ids(boots_); }
  [[nodiscard]] std::vector<std::string> shutting_down() const { return Ids(shut_downs_); }
  [[nodiscard]] std::vector<std::string> stopping() const { return Ids(stops_); }
  [[nodiscard]] std::vector<std::string> starting() const { return Ids(starts_); }

  // What it was told of each instance that it was to bring up, in that order.
  [[nodiscard]] std::vector<BootSpec> specs() const {
    absl::MutexLock lock(&mu_);
    return specs_;
  }

  // Says that they are up, or down, or that this failed, and returns how many these are.
  int FinishBoots(const absl::Status& result = absl::OkStatus()) { return Finish(boots_, result); }
  int FinishShutDowns(const absl::Status& result = absl::OkStatus()) { return Finish(shut_downs_, result); }
  int FinishStops(const absl::Status& result = absl::OkStatus()) { return Finish(stops_, result); }
  int FinishStarts(const absl::Status& result = absl::OkStatus()) { return Finish(starts_, result); }

  // Returns when it is told to bring something up, or down for good.
  void AwaitBoot() { Await(boots_); }
  void AwaitShutDown() { Await(shut_downs_); }

  // Drops what it was told, as a crash does.
  void Forget() {
    absl::MutexLock lock(&mu_);
    for (Held* held : {&boots_, &shut_downs_, &stops_, &starts_}) held->clear();
  }

 private:
  using Held = std::multimap<std::string, Done>;

  void Hold(Held& held, const std::string& instance_id, Done done) {
    absl::MutexLock lock(&mu_);
    held.emplace(instance_id, std::move(done));
  }
  [[nodiscard]] std::vector<std::string> Ids(const Held& held) const {
    absl::MutexLock lock(&mu_);
    std::vector<std::string> ids;
    for (const auto& [id, done] : held) ids.push_back(id);
    return ids;
  }
  void Await(const Held& held) const {
    absl::MutexLock lock(&mu_);
    const auto told = [&held] { return !held.empty(); };
    mu_.Await(absl::Condition(&told));
  }
  int Finish(Held& held, const absl::Status& result) {
    Held finished;
    {
      absl::MutexLock lock(&mu_);
      finished.swap(held);
    }
    for (auto& [id, done] : finished) std::move(done)(result);
    return static_cast<int>(finished.size());
  }

  mutable absl::Mutex mu_;
  // Guarded by mu_.
  std::vector<BootSpec> specs_;
  Held boots_;
  Held shut_downs_;
  Held stops_;
  Held starts_;
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_SUPPORT_HELD_HYPERVISOR_H_
