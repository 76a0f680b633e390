#ifndef HAPAX_TESTS_SERVER_SUPPORT_NULL_LOGGER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_NULL_LOGGER_H_

#include <memory>

#include "spdlog/logger.h"
#include "spdlog/sinks/null_sink.h"

namespace hapax {

// A logger that writes nothing.
[[nodiscard]] inline std::unique_ptr<spdlog::logger> NullLogger() {
  return std::make_unique<spdlog::logger>("none", std::make_shared<spdlog::sinks::null_sink_mt>());
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_NULL_LOGGER_H_
