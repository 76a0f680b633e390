#ifndef HAPAX_TESTS_SUPPORT_DISK_SYNC_H_
#define HAPAX_TESTS_SUPPORT_DISK_SYNC_H_

#include <functional>
#include <memory>

namespace hapax {

// Stands between a database and the disk: fsync() and fdatasync() of a test program that has disk_sync.cc
// among its sources are ours. `hook` is asked before each of them, on the thread that calls it: 0 lets it
// go on to the disk, an errno makes it fail, kSkipSync makes it succeed without the disk. Null, as at first: all go on.
inline constexpr int kSkipSync = -1;
void SetDiskSyncHook(std::function<int(int fd)> hook);

// What the disk does with the syncs of this process while the object lives; it works, at first.
//
//   ControlledDisk disk;
//   disk.Hold();
//   store->Execute(body, outcome.Done());
//   disk.WaitUntilHeld();            // Written, but not synced.
//   disk.Work();
//
// Thread-safety: safe. There is one at a time.
class ControlledDisk {
 public:
  ControlledDisk();
  ~ControlledDisk();
  ControlledDisk(const ControlledDisk&) = delete;
  ControlledDisk& operator=(const ControlledDisk&) = delete;

  // Syncs wait until the next Work() or Fail(), which decides about them.
  void Hold();
  // Syncs reach the disk.
  void Work();
  // Syncs fail with EIO.
  void Fail();

  // Returns when a sync waits.
  void WaitUntilHeld();
  // The syncs that reached the disk so far.
  [[nodiscard]] int sync_count() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_DISK_SYNC_H_
