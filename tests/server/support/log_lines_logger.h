#ifndef HAPAX_TESTS_SERVER_SUPPORT_LOG_LINES_LOGGER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_LOG_LINES_LOGGER_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "hapax/tests/support/log_lines.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/base_sink.h"

namespace hapax {

class LogLinesSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LogLinesSink(std::function<void(std::string_view)> append) : append_(std::move(append)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& line) override { append_({line.payload.data(), line.payload.size()}); }
  void flush_() override {}

  const std::function<void(std::string_view)> append_;
};

// A logger that hands its lines, without time and level, to a test.
[[nodiscard]] inline std::unique_ptr<spdlog::logger> LoggerTo(const LogLines& lines) {
  return std::make_unique<spdlog::logger>("test", std::make_shared<LogLinesSink>(lines.Sink()));
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_LOG_LINES_LOGGER_H_
