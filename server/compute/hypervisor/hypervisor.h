#ifndef HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_H_
#define HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "hapax/compute/v1/resources.pb.h"

namespace hapax::compute {

// What a hypervisor needs to know to bring an instance up.
struct BootSpec {
  v1::Instance instance;   // As it was when the boot was asked for: image, type, address, subnet, host, tags.
  std::string public_key;  // In OpenSSH's `authorized_keys` format; empty for none, or one of the image's own.
};

// What makes instances real. Any call may come again, for the same instance id and task, after a crash, or from another
// server while the first call is under way: it must then not be done twice. Ids are never used again.
//
// Thread-safety: safe. No call blocks. `done` is called exactly once, from any thread.
// Errors, as `done` is told them: UNAVAILABLE, not now: the call comes again after a while, until it has another end.
// Any other error is the end of a boot, a stop or a start; RESOURCE_EXHAUSTED says that there is no room. Their text is
// for the server's log: tenants see the code alone (hypervisor_error.h).
class Hypervisor {
 public:
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~Hypervisor() = default;
  // Brings the instance up. After an error ShutDown is called, so something may be left of the instance. A boot that
  // comes late, after the instance's ShutDown, must not bring it up.
  virtual void Boot(const BootSpec& spec, Done done) = 0;
  // Takes the instance down for good, however far it ever came. Whatever the error, the call comes again after a while:
  // what the instance has is given to others only when this is done.
  virtual void ShutDown(const std::string& instance_id, Done done) = 0;
  // Take the instance down for a while, and bring it up again. After an error the instance is as it was before. An
  // instance is stopped and started many times, so `task` tells one from the next: it is the same when the call comes
  // again, and new otherwise.
  virtual void Stop(const std::string& instance_id, const std::string& task, Done done) = 0;
  virtual void Start(const std::string& instance_id, const std::string& task, Done done) = 0;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_H_
