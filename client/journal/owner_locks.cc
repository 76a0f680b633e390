#include "hapax/client/journal/owner_locks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace hapax::client {
namespace {

constexpr int64_t kDoor = 0;

bool Set(int file, int command, int64_t byte, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  while (fcntl(file, command, &lock) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace

OwnerLocks::~OwnerLocks() {
  if (file_ >= 0) close(file_);
}

absl::Status OwnerLocks::Open(const std::string& path) {
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file_ >= 0) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("cannot open journal ", path, ": ", std::strerror(errno)));
}

bool OwnerLocks::TryLock(int64_t owner) { return Set(file_, F_OFD_SETLK, owner, F_WRLCK); }
void OwnerLocks::Unlock(int64_t owner) { Set(file_, F_OFD_SETLK, owner, F_UNLCK); }
bool OwnerLocks::LockDoor() { return Set(file_, F_OFD_SETLKW, kDoor, F_WRLCK); }
void OwnerLocks::UnlockDoor() { Unlock(kDoor); }

}  // namespace hapax::client
