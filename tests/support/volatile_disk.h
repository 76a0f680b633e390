#ifndef HAPAX_TESTS_SUPPORT_VOLATILE_DISK_H_
#define HAPAX_TESTS_SUPPORT_VOLATILE_DISK_H_

#include <memory>
#include <random>
#include <string>

#include "rocksdb/file_system.h"

namespace hapax {

// A directory on a disk that loses unsynced changes when its power is cut. It loses bytes appended to a file since the
// file's last sync, and files created, renamed or deleted since the directory's last sync.
//
//   VolatileDisk disk(dir.Path("data"));
//   FaultyFileSystem files(disk.files());
//   {
//     auto engine = RocksDbEngine::Open({.path = dir.Path("data"), .env = files.env()});
//     ...
//     disk.CutPower();
//   }
//   disk.Reboot(nullptr);
//
// The disk may also keep a part of these changes, as POSIX allows. Of a file's bytes it may keep any prefix. Of the
// changes to the directory it may keep any selection, with two exceptions. A name's later change is kept only with its
// earlier ones, and a rename only as a whole.
//
// Nothing is synced to the machine's own disk, so it is fast. Files outside the directory are on the machine's disk.
//
// Thread-safety: safe; each operation is either before the cut or after it.
// Lifetime: outlives what is open in it.
class VolatileDisk {
 public:
  // The directory need not exist, and must be empty. Its state at the last sync is stored next to it, in
  // `<directory>.inodes`.
  explicit VolatileDisk(const std::string& directory);
  ~VolatileDisk();
  VolatileDisk(const VolatileDisk&) = delete;
  VolatileDisk& operator=(const VolatileDisk&) = delete;

  [[nodiscard]] std::shared_ptr<rocksdb::FileSystem> files() const;

  // Makes every change and sync fail from now on. Open files can still be read.
  void CutPower();
  [[nodiscard]] bool power_is_cut() const;

  // Restores the power, with everything synced, and as much of the rest as `random` decides; none of it when that is
  // null. Requires: no file is open.
  void Reboot(std::mt19937_64* random);

 private:
  class Inode;
  class State;
  class Files;
  class WritableFile;
  class Directory;

  const std::shared_ptr<State> state_;
  const std::shared_ptr<rocksdb::FileSystem> files_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_VOLATILE_DISK_H_
