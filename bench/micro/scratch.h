#ifndef HAPAX_BENCH_MICRO_SCRATCH_H_
#define HAPAX_BENCH_MICRO_SCRATCH_H_

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace hapax::bench {

// A new directory inside another (by default the system's temporary one); the destructor removes it with its content.
class Scratch {
 public:
  explicit Scratch(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "hapax-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::string Path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_MICRO_SCRATCH_H_
