#include "hapax/storage/rocksdb/log.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace hapax {
namespace {

constexpr size_t kMaxLineBytes = 1024;  // Longer lines are cut off.

class ForwardingLogger final : public rocksdb::Logger {
 public:
  explicit ForwardingLogger(std::function<void(std::string_view)> log)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), log_(std::move(log)) {}

  // RocksDB calls this overload for messages below the level, too.
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    const bool is_header = level == rocksdb::InfoLogLevel::HEADER_LEVEL;  // The highest level, which is always logged.
    if (level >= rocksdb::InfoLogLevel::WARN_LEVEL && !is_header) Logv(format, arguments);
  }
  void Logv(const char* format, va_list arguments) override {
    std::array<char, kMaxLineBytes> line;
    const int size = std::vsnprintf(line.data(), line.size(), format, arguments);
    if (size < 0 || log_ == nullptr) return;
    const std::string_view text(line.data(), std::min(static_cast<size_t>(size), line.size() - 1));
    // Version edits follow on lines of their own; they contain keys, which may be secret.
    log_(text.substr(0, text.find('\n')));
  }

 private:
  const std::function<void(std::string_view)> log_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> ForwardRocksDbLog(std::function<void(std::string_view line)> log) {
  return std::make_shared<ForwardingLogger>(std::move(log));
}

}  // namespace hapax
