#ifndef HAPAX_SERVER_COMPUTE_HYPERVISOR_SIMULATED_HYPERVISOR_H_
#define HAPAX_SERVER_COMPUTE_HYPERVISOR_SIMULATED_HYPERVISOR_H_

#include <deque>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/server/compute/hypervisor/hypervisor.h"

namespace hapax::compute {

// A hypervisor without machines: everything succeeds after the same latency.
//
// Thread-safety: safe.
// Lifetime: the destructor drops pending calls.
class SimulatedHypervisor final : public Hypervisor {
 public:
  explicit SimulatedHypervisor(absl::Duration latency);
  ~SimulatedHypervisor() override;

  void Boot(const BootSpec& spec, Done done) override;
  void ShutDown(const std::string& instance_id, Done done) override;
  void Stop(const std::string& instance_id, const std::string& task, Done done) override;
  void Start(const std::string& instance_id, const std::string& task, Done done) override;

 private:
  struct Pending {
    absl::Duration due;  // Monotonic time.
    Done done;
  };

  void Add(Done done);
  void Run();

  const absl::Duration latency_;
  Monitor mu_;
  std::deque<Pending> pending_ ABSL_GUARDED_BY(mu_);  // Ordered by due time.
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_HYPERVISOR_SIMULATED_HYPERVISOR_H_
