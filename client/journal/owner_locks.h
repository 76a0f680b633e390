#ifndef HAPAX_CLIENT_JOURNAL_OWNER_LOCKS_H_
#define HAPAX_CLIENT_JOURNAL_OWNER_LOCKS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace hapax::client {

// Locks of a file, one byte for each owner, that hold as long as their process lives, whatever ends it; so others can
// tell who is gone. Several objects of one process lock each other out as well.
//
// They are locks of the open file description (fcntl F_OFD_SETLK): a process that is forked off holds them too, unless
// it starts another program.
//
// Thread-safety: for one thread.
class OwnerLocks {
 public:
  OwnerLocks() = default;
  ~OwnerLocks();
  OwnerLocks(const OwnerLocks&) = delete;
  OwnerLocks& operator=(const OwnerLocks&) = delete;

  // Opens the file, and creates it (mode 0600). PERMISSION_DENIED when that cannot be. Comes first.
  [[nodiscard]] absl::Status Open(const std::string& path);
  // False: somebody else has it, so that owner lives. Owners are positive.
  [[nodiscard]] bool TryLock(int64_t owner);
  void Unlock(int64_t owner);

  // Waits until nobody else has the door, which everybody goes through one at a time. False: it cannot be locked.
  [[nodiscard]] bool LockDoor();
  void UnlockDoor();

 private:
  int file_ = -1;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_OWNER_LOCKS_H_
