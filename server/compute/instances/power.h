#ifndef HAPAX_SERVER_COMPUTE_INSTANCES_POWER_H_
#define HAPAX_SERVER_COMPUTE_INSTANCES_POWER_H_

#include <string>
#include <string_view>

#include "hapax/server/compute/hypervisor/hypervisor.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_driver.h"

namespace hapax::compute {

// Kinds of work, as stored on disk. The subject is a PowerTask.
inline constexpr std::string_view kStopWork = "compute.stop";
inline constexpr std::string_view kStartWork = "compute.start";

// What an operation does to an instance: the subject of the work, and the hypervisor's task.
struct PowerTask {
  std::string tenant;
  std::string instance_id;
  std::string operation;  // The operation's name.

  [[nodiscard]] std::string Encode() const;
  // Errors: DATA_LOSS for anything that Encode did not make.
  [[nodiscard]] static absl::StatusOr<PowerTask> Decode(const std::string& subject);
};

// Takes an instance from STOPPING to STOPPED, or from PENDING to RUNNING, and ends the operation. After a failure the
// operation fails, and the instance returns to its earlier state with a state reason: after a failed stop it is
// running, and can be stopped again. An instance terminated meanwhile is not changed, and the operation fails.
class PowerDriver final : public WorkDriver {
 public:
  enum class Kind {
    kStop,
    kStart,
  };

  // `hypervisor` and `operations` outlive it.
  PowerDriver(Kind kind, Hypervisor& hypervisor, const Operations& operations)
      : kind_(kind), hypervisor_(hypervisor), operations_(operations) {}
  void Perform(const std::string& subject, Done done) override;
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override;

 private:
  const Kind kind_;
  Hypervisor& hypervisor_;
  const Operations& operations_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_INSTANCES_POWER_H_
