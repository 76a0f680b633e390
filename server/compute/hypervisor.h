#ifndef HAPAX_SERVER_COMPUTE_HYPERVISOR_H_
#define HAPAX_SERVER_COMPUTE_HYPERVISOR_H_

#include <string>

#include "absl/functional/any_invocable.h"

namespace hapax::compute {

// What makes instances real. Each call is for one instance id, and may come again for the same id after a
// crash: it must then not be done twice.
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
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_HYPERVISOR_H_
