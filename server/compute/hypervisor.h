#ifndef HAPAX_SERVER_COMPUTE_HYPERVISOR_H_
#define HAPAX_SERVER_COMPUTE_HYPERVISOR_H_

#include <string>

#include "absl/functional/any_invocable.h"

namespace hapax::compute {

// What makes instances real. Each call may come again after a crash, for the same instance id and task: it must then
// not be done twice.
//
// Thread-safety: safe. `done` is called exactly once, from any thread.
class Hypervisor {
 public:
  using Done = absl::AnyInvocable<void() &&>;

  virtual ~Hypervisor() = default;
  // Brings the instance up.
  virtual void Boot(const std::string& instance_id, Done done) = 0;
  // Takes the instance down for good.
  virtual void ShutDown(const std::string& instance_id, Done done) = 0;
  // Take the instance down for a while, and bring it up again. An instance is stopped and started many times, so
  // `task` tells one from the next: it is the same when a crash makes the call come again, and new otherwise.
  virtual void Stop(const std::string& instance_id, const std::string& task, Done done) = 0;
  virtual void Start(const std::string& instance_id, const std::string& task, Done done) = 0;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_HYPERVISOR_H_
