#ifndef HAPAX_TESTS_SERVER_SUPPORT_JOURNALING_HYPERVISOR_H_
#define HAPAX_TESTS_SERVER_SUPPORT_JOURNALING_HYPERVISOR_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "hapax/server/compute/hypervisor/hypervisor.h"
#include "hapax/tests/server/support/stepped_driver.h"

namespace hapax::compute {

// A hypervisor that outlives the server's process: it keeps a journal in a file, of what it was told and of what it
// did, and does at once what it has not done yet.
//
//   told compute.stop i-00000000000000001 operations/op-1
//   did compute.stop i-00000000000000001 operations/op-1
//
// Thread-safety: safe.
class JournalingHypervisor final : public Hypervisor {
 public:
  // `on_step` is told of kBeforeEffect and kAfterEffect; null for nobody. Work of `failing_kind` is done like any
  // other, and then reported as failed.
  JournalingHypervisor(std::string path, StepHook on_step, std::string_view failing_kind = "");

  void Boot(const BootSpec& spec, Done done) override;
  void ShutDown(const std::string& instance_id, Done done) override;
  void Stop(const std::string& instance_id, const std::string& task, Done done) override;
  void Start(const std::string& instance_id, const std::string& task, Done done) override;

 private:
  void Do(std::string_view kind, const std::string& task, Done done);
  void Write(const std::string& line);

  const std::string path_;
  const StepHook on_step_;
  const std::string_view failing_kind_;
  absl::Mutex mu_;  // One task after the other.
};

// The lines of the journal, in their order; none when there is no file.
[[nodiscard]] std::vector<std::string> ReadJournal(const std::string& path);

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_SUPPORT_JOURNALING_HYPERVISOR_H_
