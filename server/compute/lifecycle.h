#ifndef HAPAX_SERVER_COMPUTE_LIFECYCLE_H_
#define HAPAX_SERVER_COMPUTE_LIFECYCLE_H_

#include <string>
#include <string_view>

#include "hapax/server/compute/hypervisor.h"
#include "hapax/server/operations/work_queue.h"

namespace hapax::compute {

// Kinds of work, as they stand on disk. The subject is the instance's row key.
inline constexpr std::string_view kBootWork = "compute.boot";
inline constexpr std::string_view kShutDownWork = "compute.shut_down";

// Takes an instance from PENDING to RUNNING. One that was terminated meanwhile stays as it is.
class BootDriver final : public WorkDriver {
 public:
  // `hypervisor` outlives it.
  explicit BootDriver(Hypervisor& hypervisor) : hypervisor_(hypervisor) {}
  void Perform(const std::string& subject, absl::AnyInvocable<void() &&> done) override;
  [[nodiscard]] absl::Status Complete(const std::string& subject, Transaction& txn) override;

 private:
  Hypervisor& hypervisor_;
};

// Takes an instance from SHUTTING_DOWN to TERMINATED, and gives back its capacity, address and quota.
class ShutDownDriver final : public WorkDriver {
 public:
  // `hypervisor` outlives it.
  explicit ShutDownDriver(Hypervisor& hypervisor) : hypervisor_(hypervisor) {}
  void Perform(const std::string& subject, absl::AnyInvocable<void() &&> done) override;
  [[nodiscard]] absl::Status Complete(const std::string& subject, Transaction& txn) override;

 private:
  Hypervisor& hypervisor_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_LIFECYCLE_H_
