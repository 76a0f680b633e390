#ifndef HAPAX_TESTS_SUPPORT_DISK_SYNC_H_
#define HAPAX_TESTS_SUPPORT_DISK_SYNC_H_

#include <functional>
#include <memory>

namespace hapax {

// Controls what a database's syncs do: a test program with disk_sync.cc among its sources has its own fsync() and
// fdatasync(). Each calls `hook` first, on its own thread. 0 lets the sync reach the disk, an errno makes it fail, and
// kSkipSync makes it succeed without the disk. Without a hook, as at first, all syncs reach the disk.
inline constexpr int kSkipSync = -1;
void SetDiskSyncHook(std::function<int(int fd)> hook);

// Controls the syncs of this process during its lifetime. At first they reach the disk.
//
//   ControlledDisk disk;
//   disk.Hold();
//   store->Execute(body, outcome.Done());
//   disk.WaitUntilHeld();            // Written, but not synced.
//   disk.Work();
//
// Thread-safety: safe. Only one may exist at a time.
class ControlledDisk {
 public:
  ControlledDisk();
  ~ControlledDisk();
  ControlledDisk(const ControlledDisk&) = delete;
  ControlledDisk& operator=(const ControlledDisk&) = delete;

  // Makes syncs wait for the next Work() or Fail(), which decides about them.
  void Hold();
  // Lets syncs reach the disk.
  void Work();
  // Makes syncs fail with EIO.
  void Fail();

  // Waits until a sync is waiting.
  void WaitUntilHeld();
  // The number of syncs that have reached the disk.
  [[nodiscard]] int sync_count() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_DISK_SYNC_H_
