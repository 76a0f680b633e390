#ifndef HAPAX_SERVER_COMPUTE_INSTANCES_LIFECYCLE_H_
#define HAPAX_SERVER_COMPUTE_INSTANCES_LIFECYCLE_H_

#include <string>
#include <string_view>

#include "hapax/server/compute/hypervisor/hypervisor.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/store.h"

namespace hapax::compute {

// Kinds of work, as they stand on disk. The subject is the instance's row key.
inline constexpr std::string_view kBootWork = "compute.boot";
inline constexpr std::string_view kShutDownWork = "compute.shut_down";

// Takes an instance from PENDING to RUNNING. One whose boot fails goes to SHUTTING_DOWN, with a state reason, and work
// is scheduled to take down the rest of it. One that was terminated meanwhile stays as it is.
class BootDriver final : public WorkDriver {
 public:
  // All outlive it. `store` is where the instances are, `work` what takes up a shut-down.
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
// it: a shut-down that fails, whatever the error, is performed again.
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
