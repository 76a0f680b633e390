#ifndef HAPAX_TESTS_SUPPORT_TEMP_DIR_H_
#define HAPAX_TESTS_SUPPORT_TEMP_DIR_H_

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace hapax {

// A new, empty directory below the system's temporary one (TMPDIR). The destructor removes it with its contents.
//
//   TempDir dir;
//   auto store = OpenRocksDbStore({.path = dir.Path("data")});
//
// Lifetime: outlives every user of open files in it.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "hapax-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  // The path of `name` in the directory; `name` need not exist. The directory's own path when `name` is empty.
  [[nodiscard]] std::string Path(std::string_view name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_TEMP_DIR_H_
