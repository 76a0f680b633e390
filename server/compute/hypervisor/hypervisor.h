#ifndef HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_H_
#define HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "hapax/compute/v1/resources.pb.h"

namespace hapax::compute {

// What a hypervisor needs to boot an instance.
struct BootSpec {
  v1::Instance instance;   // At the time of the boot: image, type, address, subnet, host, tags.
  std::string public_key;  // In OpenSSH's `authorized_keys` format; empty for none or for the image's own.
};

// Makes instances real. Any call may be repeated for the same instance id and task, after a crash or by another server
// while the first call runs: it must then not be done twice. Ids are never reused.
//
// Thread-safety: safe. No call blocks. `done` is called exactly once, from any thread.
// Errors, as passed to `done`: UNAVAILABLE means "not now", and the call is repeated later until it has another result.
// Any other error ends a boot, a stop or a start; RESOURCE_EXHAUSTED means that there is no room. The text is for the
// server's log: tenants see only the code (hypervisor_error.h).
class Hypervisor {
 public:
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~Hypervisor() = default;
  // Boots the instance. After an error ShutDown follows, so parts of the instance may be left. A boot that arrives
  // after the instance's ShutDown must not bring it up.
  virtual void Boot(const BootSpec& spec, Done done) = 0;
  // Removes the instance for good, whatever state it is in. After any error the call is repeated later. The instance's
  // resources are given to others only once it succeeds.
  virtual void ShutDown(const std::string& instance_id, Done done) = 0;
  // Stop the instance for a while, and start it again. After an error the instance is as before. `task` tells one stop
  // or start from the next: a repeated call has the same task.
  virtual void Stop(const std::string& instance_id, const std::string& task, Done done) = 0;
  virtual void Start(const std::string& instance_id, const std::string& task, Done done) = 0;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_H_
