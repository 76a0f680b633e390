#include "hapax/tests/server/support/journaling_hypervisor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/instances/power.h"

namespace hapax::compute {

JournalingHypervisor::JournalingHypervisor(std::string path, StepHook on_step, std::string_view failing_kind)
    : path_(std::move(path)), on_step_(std::move(on_step)), failing_kind_(failing_kind) {}

void JournalingHypervisor::Boot(const BootSpec& spec, Done done) {
  Do(kBootWork, spec.instance.instance_id(), std::move(done));
}
void JournalingHypervisor::ShutDown(const std::string& instance_id, Done done) {
  Do(kShutDownWork, instance_id, std::move(done));
}
void JournalingHypervisor::Stop(const std::string& instance_id, const std::string& task, Done done) {
  Do(kStopWork, instance_id + " " + task, std::move(done));
}
void JournalingHypervisor::Start(const std::string& instance_id, const std::string& task, Done done) {
  Do(kStartWork, instance_id + " " + task, std::move(done));
}

void JournalingHypervisor::Do(std::string_view kind, const std::string& task, Done done) {
  {
    absl::MutexLock lock(&mu_);
    const std::string work = std::string(kind) + " " + task;
    Write("told " + work);
    if (on_step_ != nullptr) on_step_(kind, WorkStep::kBeforeEffect);
    const std::vector<std::string> journal = ReadJournal(path_);
    if (std::find(journal.begin(), journal.end(), "did " + work) == journal.end()) Write("did " + work);
    if (on_step_ != nullptr) on_step_(kind, WorkStep::kAfterEffect);
  }
  std::move(done)(kind == failing_kind_ ? absl::InternalError("out of order") : absl::OkStatus());
}

void JournalingHypervisor::Write(const std::string& line) {
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  HAPAX_CHECK(fd >= 0, path_.c_str());
  const std::string bytes = line + "\n";
  HAPAX_CHECK(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), path_.c_str());
  HAPAX_CHECK(::fsync(fd) == 0, path_.c_str());
  ::close(fd);
}

std::vector<std::string> ReadJournal(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace hapax::compute
