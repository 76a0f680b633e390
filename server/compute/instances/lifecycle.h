#ifndef HAPAX_SERVER_COMPUTE_INSTANCES_LIFECYCLE_H_
#define HAPAX_SERVER_COMPUTE_INSTANCES_LIFECYCLE_H_

#include <string>
#include <string_view>

#include "hapax/server/compute/hypervisor/hypervisor.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/store.h"

namespace hapax::compute {

// Kinds of work, as stored on disk. The subject is the instance's row key.
inline constexpr std::string_view kBootWork = "compute.boot";
inline constexpr std::string_view kShutDownWork = "compute.shut_down";

// Takes an instance from PENDING to RUNNING. After a failed boot it goes to SHUTTING_DOWN, with a state reason, and
// work to remove it is scheduled. An instance terminated meanwhile is not changed.
class BootDriver final : public WorkDriver {
 public:
  // All outlive it. `store` holds the instances; `work` takes the shut-down work.
  BootDriver(Hypervisor& hypervisor, Store& store, WorkQueue& work)
      : hypervisor_(hypervisor), store_(store), work_(work) {}
  void Perform(const std::string& subject, Done done) override;
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override;

 private:
  Hypervisor& hypervisor_;
  Store& store_;
  WorkQueue& work_;
};

// Takes an instance from SHUTTING_DOWN to TERMINATED, and gives back its capacity, address and quota. Nothing else ends
// it: a failed shut-down is performed again, whatever the error.
class ShutDownDriver final : public WorkDriver {
 public:
  // `hypervisor` outlives it.
  explicit ShutDownDriver(Hypervisor& hypervisor) : hypervisor_(hypervisor) {}
  void Perform(const std::string& subject, Done done) override;
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override;

 private:
  Hypervisor& hypervisor_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_INSTANCES_LIFECYCLE_H_
