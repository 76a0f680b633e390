#ifndef HAPAX_BASE_LOG_LOG_WRITER_H_
#define HAPAX_BASE_LOG_LOG_WRITER_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "spdlog/sinks/base_sink.h"

namespace hapax {

// Gathers log lines in memory, and a thread of its own writes them to a file descriptor, many at a time. A reader who
// stops reading holds up nobody: lines that find no room are left out, and so are those that cannot be written. Once
// lines can be written again, and at the end, a line says how many they were.
//
// Made for speed: spdlog's asynchronous logger wakes its thread, and writes, once a line, which was 6 of the 28 us of
// CPU time of a replay.
//
// Thread-safety: safe; nothing here waits for the descriptor, but for Close and the destructor.
// Lifetime: the destructor writes what is left, unless its reader hangs: after a second it lets go of that. The
// descriptor may be closed then, but for a write that is under way. A crash loses the lines of the last 10 ms.
class LogWriter {
 public:
  // How long Close waits for a descriptor that takes nothing.
  static constexpr absl::Duration kCloseTimeout = absl::Seconds(1);

  // Does not own `fd`.
  explicit LogWriter(int fd, size_t max_pending_bytes = size_t{4} << 20);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `line` ends with its newline.
  void Append(std::string_view line);
  // Has the lines so far written at once.
  void Flush();
  // Writes what is left, for so long at the most, and returns how many lines were lost, those that were left out before
  // among them. Lines that are appended afterwards are lost. Comes once.
  size_t Close(absl::Duration timeout = kCloseTimeout);

 private:
  class Lines;

  // Shared with the thread, which a reader that hangs may hold up for ever: then it is let go, and has its own share.
  const std::shared_ptr<Lines> lines_;
  std::thread thread_;
};

// Where a logger's lines go: formatted on the thread that logs, and on to a writer that loggers share.
class LogSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LogSink(std::shared_ptr<LogWriter> writer) : writer_(std::move(writer)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    line_.clear();
    formatter_->format(message, line_);
    writer_->Append({line_.data(), line_.size()});
  }
  void flush_() override { writer_->Flush(); }

 private:
  const std::shared_ptr<LogWriter> writer_;
  spdlog::memory_buf_t line_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_LOG_LOG_WRITER_H_
