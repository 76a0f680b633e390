#ifndef HAPAX_TESTS_SUPPORT_FILE_SIZE_LIMIT_H_
#define HAPAX_TESTS_SUPPORT_FILE_SIZE_LIMIT_H_

#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace hapax {

// During its lifetime, this process cannot write to a file beyond its first `bytes` bytes (EFBIG), as on a full disk.
// With 0 it can write nothing. Pipes and terminals are not affected.
//
// Thread-safety: one at a time.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);  // Its default would end the process.
    if (::getrlimit(RLIMIT_FSIZE, &before_) != 0) throw std::system_error(errno, std::generic_category());
    Set({.rlim_cur = bytes, .rlim_max = before_.rlim_max});
  }
  ~FileSizeLimit() { Set(before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  static void Set(const rlimit& limit) {
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::system_error(errno, std::generic_category());
  }

  rlimit before_{};
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_FILE_SIZE_LIMIT_H_
