#include "hapax/tests/support/disk_sync.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hapax {
namespace {

using Hook = std::function<int(int fd)>;

struct InstalledHook {
  absl::Mutex mu;
  std::shared_ptr<const Hook> hook ABSL_GUARDED_BY(mu);
};

InstalledHook& Installed() {
  static auto* const installed = new InstalledHook();
  return *installed;
}

int Sync(int fd, long syscall_number) {
  std::shared_ptr<const Hook> hook;
  {
    absl::MutexLock lock(&Installed().mu);
    hook = Installed().hook;
  }
  if (hook != nullptr) {
    const int error = (*hook)(fd);
    if (error == kSkipSync) return 0;
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return static_cast<int>(::syscall(syscall_number, fd));
}

}  // namespace

void SetDiskSyncHook(Hook hook) {
  absl::MutexLock lock(&Installed().mu);
  Installed().hook = hook == nullptr ? nullptr : std::make_shared<const Hook>(std::move(hook));
}

struct ControlledDisk::State {
  enum class Mode { kWork, kHold, kFail };

  int OnSync() {
    absl::MutexLock lock(&mu);
    ++held_count;
    const auto decided = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return mode != Mode::kHold; };
    mu.Await(absl::Condition(&decided));
    --held_count;
    if (mode == Mode::kFail) return EIO;
    ++sync_count;
    return 0;
  }
  void Set(Mode new_mode) {
    absl::MutexLock lock(&mu);
    mode = new_mode;
  }

  absl::Mutex mu;
  Mode mode ABSL_GUARDED_BY(mu) = Mode::kWork;
  int held_count ABSL_GUARDED_BY(mu) = 0;
  int sync_count ABSL_GUARDED_BY(mu) = 0;
};

ControlledDisk::ControlledDisk() : state_(std::make_shared<State>()) {
  SetDiskSyncHook([state = state_](int) { return state->OnSync(); });
}

ControlledDisk::~ControlledDisk() {
  Work();
  SetDiskSyncHook(nullptr);
}

void ControlledDisk::Hold() { state_->Set(State::Mode::kHold); }
void ControlledDisk::Work() { state_->Set(State::Mode::kWork); }
void ControlledDisk::Fail() { state_->Set(State::Mode::kFail); }

void ControlledDisk::WaitUntilHeld() {
  absl::MutexLock lock(&state_->mu);
  const auto held = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) { return state_->held_count > 0; };
  state_->mu.Await(absl::Condition(&held));
}

int ControlledDisk::sync_count() const {
  absl::MutexLock lock(&state_->mu);
  return state_->sync_count;
}

}  // namespace hapax

// Override those of the C library for the whole program, including its shared libraries.
extern "C" int fdatasync(int fd) { return hapax::Sync(fd, SYS_fdatasync); }
extern "C" int fsync(int fd) { return hapax::Sync(fd, SYS_fsync); }
