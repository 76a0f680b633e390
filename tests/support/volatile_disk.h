#ifndef HAPAX_TESTS_SUPPORT_VOLATILE_DISK_H_
#define HAPAX_TESTS_SUPPORT_VOLATILE_DISK_H_

#include <memory>
#include <random>
#include <string>

#include "rocksdb/file_system.h"

namespace hapax {

// A directory on a disk that forgets, when its power is cut, what was not synced: bytes behind those that were there
// at a file's last sync; and files created, renamed and deleted since the directory's last sync.
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
// What it may keep of that all the same is what POSIX allows: of a file's bytes any prefix; of the changes to the
// directory any selection in which a name's later change is kept only with its earlier ones, a renaming as a whole.
//
// Nothing is synced to the machine's own disk, so it is fast. Files outside of the directory are the machine's.
//
// Thread-safety: safe; each operation is before the cut or after it.
// Lifetime: outlives what is open in it.
class VolatileDisk {
 public:
  // The directory need not exist, and is empty. What it was at its last sync lies beside it, as `<directory>.inodes`.
  explicit VolatileDisk(const std::string& directory);
  ~VolatileDisk();
  VolatileDisk(const VolatileDisk&) = delete;
  VolatileDisk& operator=(const VolatileDisk&) = delete;

  [[nodiscard]] std::shared_ptr<rocksdb::FileSystem> files() const;

  // From now on, whatever would change or sync something fails. (What is open can be read on.)
  void CutPower();
  [[nodiscard]] bool power_is_cut() const;

  // Switches the power on again, with what is synced, and as much of the rest as `random` decides; null: nothing of
  // it. Nothing may be open.
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
