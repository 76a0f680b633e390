#ifndef HAPAX_TESTS_SUPPORT_SMALL_DISK_H_
#define HAPAX_TESTS_SUPPORT_SMALL_DISK_H_

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "hapax/tests/support/temp_dir.h"

namespace hapax {

// A file system of a few megabytes in memory, which can be filled up. Only this process sees it, so nothing is left of
// it when the process ends.
//
//   SmallDisk disk(size_t{32} << 20);
//   if (!disk.mounted()) GTEST_SKIP() << disk.why_not();
//   disk.Fill();
//
// Thread-safety: for the thread that made it. Threads started by that thread see the files, too.
// Lifetime: outlives every user of open files in it.
class SmallDisk {
 public:
  explicit SmallDisk(size_t bytes) {
    const std::string options = "size=" + std::to_string(bytes);
    Check(::unshare(CLONE_NEWNS), "a mount namespace of its own");
    Check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "making mounts private");
    Check(::mount("tmpfs", dir_.Path().c_str(), "tmpfs", 0, options.c_str()), "mounting a tmpfs");
  }
  ~SmallDisk() {
    if (mounted()) ::umount2(dir_.Path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Whether this process may mount it; if not, why_not says why.
  [[nodiscard]] bool mounted() const { return why_not_.empty(); }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

  [[nodiscard]] std::string Path(std::string_view name) const { return dir_.Path(name); }

  // Takes all space except `left` bytes, rounded down to blocks.
  void Fill(uint64_t left = 0) const {
    const int file = ::open(Path("ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) throw std::system_error(errno, std::generic_category(), "ballast");
    const std::vector<char> block(size_t{4096}, 'b');
    while (FreeBytes() >= left + block.size() && ::write(file, block.data(), block.size()) > 0) {
    }
    ::close(file);
  }
  // Gives back all that Fill() took, or `bytes` of it.
  void Free() const { std::filesystem::remove(Path("ballast")); }
  void Free(uint64_t bytes) const {
    const uint64_t taken = std::filesystem::file_size(Path("ballast"));
    std::filesystem::resize_file(Path("ballast"), taken - std::min(taken, bytes));
  }

 private:
  [[nodiscard]] uint64_t FreeBytes() const {
    struct statvfs info = {};
    if (::statvfs(dir_.Path().c_str(), &info) != 0) throw std::system_error(errno, std::generic_category(), "statvfs");
    return info.f_bavail * info.f_bsize;
  }
  void Check(int result, const char* what) {
    if (result != 0 && mounted()) why_not_ = std::string(what) + ": " + std::generic_category().message(errno);
  }

  const TempDir dir_;
  std::string why_not_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_SMALL_DISK_H_
