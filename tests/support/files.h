#ifndef HAPAX_TESTS_SUPPORT_FILES_H_
#define HAPAX_TESTS_SUPPORT_FILES_H_

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace hapax {

[[nodiscard]] inline std::string ContentOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The contents of the files below a directory whose names end in `extension`.
[[nodiscard]] inline std::vector<std::string> FilesIn(const std::string& directory, std::string_view extension = "") {
  std::vector<std::string> contents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || !entry.path().string().ends_with(extension)) continue;
    contents.push_back(ContentOf(entry.path()));
  }
  return contents;
}

// The total size of the files.
[[nodiscard]] inline uint64_t BytesIn(const std::string& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::error_code gone;  // RocksDB may just have removed the file.
    const uint64_t size = entry.file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_FILES_H_
