#include "hapax/base/bounded_task.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "hapax/base/clock.h"
#include "hapax/base/monitor.h"

namespace hapax {
namespace {

// Longer waits would overflow the steady clock.
constexpr absl::Duration kLongestWait = absl::Hours(24 * 365);

}  // namespace

class BoundedTask::End {
 public:
  void Come() {
    MonitorLock lock(&mu_);
    has_come_ = true;
    mu_.WakeAll();
  }
  [[nodiscard]] bool AwaitUntil(absl::Duration until) {
    MonitorLock lock(&mu_);
    return mu_.AwaitUntil([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return has_come_; },
                          std::min(until, MonotonicNow() + kLongestWait));
  }

 private:
  Monitor mu_;
  bool has_come_ ABSL_GUARDED_BY(mu_) = false;
};

BoundedTask::BoundedTask(absl::AnyInvocable<void() &&> task) : end_(std::make_shared<End>()) {
  const auto shared_task = std::make_shared<absl::AnyInvocable<void() &&>>(std::move(task));
  const auto run = [end = end_, shared_task] {
    std::move (*shared_task)();
    *shared_task = nullptr;
    end->Come();
  };
  try {
    thread_ = std::thread(run);
  } catch (const std::system_error&) {
    run();
  }
}

BoundedTask::~BoundedTask() {
  if (!thread_.joinable()) return;
  if (AwaitUntil(-absl::InfiniteDuration())) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool BoundedTask::AwaitUntil(absl::Duration until) const { return end_->AwaitUntil(until); }

}  // namespace hapax
