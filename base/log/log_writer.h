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

// Gathers log lines in memory; a thread of its own writes them to a file descriptor, many at a time. A stalled reader
// blocks nobody: lines that do not fit into memory or cannot be written are dropped. A later line reports how many were
// dropped, once lines can be written again and at the end.
//
// It exists for speed. spdlog's asynchronous logger wakes its thread and writes once per line, which took 6 of the 28
// us of CPU time of a replay.
//
// Thread-safety: safe. Only Close and the destructor wait for the descriptor.
// Lifetime: the destructor writes the remaining lines, but abandons them if the reader stalls for a second. The
// descriptor may be closed afterwards, unless a write is still in progress. A crash loses the lines of the last 10 ms.
class LogWriter {
 public:
  // How long Close waits for a descriptor that accepts nothing.
  static constexpr absl::Duration kCloseTimeout = absl::Seconds(1);

  // Does not own `fd`.
  explicit LogWriter(int fd, size_t max_pending_bytes = size_t{4} << 20);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `line` ends with its newline.
  void Append(std::string_view line);
  // Writes the pending lines without waiting for more.
  void Flush();
  // Writes the pending lines for at most `timeout`, and returns how many lines were lost, including dropped lines
  // that no line has reported. Lines appended later are lost. Call it once.
  size_t Close(absl::Duration timeout = kCloseTimeout);

 private:
  class Lines;

  // Shared with the thread: a stalled reader may block the thread forever, and then it is detached with its own share.
  const std::shared_ptr<Lines> lines_;
  std::thread thread_;
};

// Sends a logger's lines to a shared writer. Lines are formatted on the thread that logs.
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

// Makes a JSON object of the members that a call's line consists of, for an embedder's sink.
class BracedSink final : public spdlog::sinks::sink {
 public:
  explicit BracedSink(spdlog::sink_ptr its_sink) : sink_(std::move(its_sink)) {}
  void log(const spdlog::details::log_msg& members) override {
    const std::string object = fmt::format("{{{}}}", members.payload);
    spdlog::details::log_msg message = members;
    message.payload = object;
    sink_->log(message);
  }
  void flush() override { sink_->flush(); }
  void set_pattern(const std::string& /*pattern: the embedder's*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter: the embedder's*/) override {}

 private:
  const spdlog::sink_ptr sink_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_LOG_LOG_WRITER_H_
