#ifndef HAPAX_CLIENT_JOURNAL_OWNER_LOCKS_H_
#define HAPAX_CLIENT_JOURNAL_OWNER_LOCKS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace hapax::client {

// Locks on a file, one byte for each owner. A lock lasts until its process ends, however that happens, so others can
// detect dead owners. Objects of one process lock each other out, too.
//
// These are locks of the open file description (fcntl F_OFD_SETLK). So a forked process also holds them, unless it
// executes another program.
//
// Thread-safety: for one thread.
class OwnerLocks {
 public:
  OwnerLocks() = default;
  ~OwnerLocks();
  OwnerLocks(const OwnerLocks&) = delete;
  OwnerLocks& operator=(const OwnerLocks&) = delete;

  // Opens the file, or creates it with mode 0600. Must be called first. Errors: PERMISSION_DENIED.
  [[nodiscard]] absl::Status Open(const std::string& path);
  // Returns false if the lock is held elsewhere, so the owner is alive. Owners are positive.
  [[nodiscard]] bool TryLock(int64_t owner);
  void Unlock(int64_t owner);

  // Waits for the door, a lock with a single holder. Returns false if it cannot be locked.
  [[nodiscard]] bool LockDoor();
  void UnlockDoor();

 private:
  int file_ = -1;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_OWNER_LOCKS_H_
