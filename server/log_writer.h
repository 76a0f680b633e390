#ifndef HAPAX_SERVER_LOG_WRITER_H_
#define HAPAX_SERVER_LOG_WRITER_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "spdlog/sinks/base_sink.h"

namespace hapax {

// Gathers log lines in memory, and a thread of its own writes them to a file descriptor, many at a time. A reader who
// stops reading holds up nobody: lines that find no room are left out, and so are those that cannot be written. Once
// lines can be written again, and at the end, a line says how many they were.
//
// Made for speed: spdlog's asynchronous logger wakes its thread, and writes, once a line, which was 6 of the 28 us of
// CPU time of a replay.
//
// Thread-safety: safe; nothing here waits for the descriptor, but for the destructor.
// Lifetime: the destructor writes what is left. A crash loses the lines of the last 10 ms.
class LogWriter {
 public:
  // Does not own `fd`.
  explicit LogWriter(int fd, size_t max_pending_bytes = size_t{4} << 20);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `line` ends with its newline.
  void Append(std::string_view line);
  // Has the lines so far written at once.
  void Flush();

 private:
  void Run();
  // Waits for lines, and for more to write along with them, or for the end. The last of them says how many were left
  // out, if any: returns how many it says.
  size_t TakeLines(std::string& lines);

  const int fd_;
  const size_t max_pending_bytes_;

  absl::Mutex mu_;
  absl::CondVar wakeup_;
  std::string pending_ ABSL_GUARDED_BY(mu_);
  size_t left_out_ ABSL_GUARDED_BY(mu_) = 0;  // Lines that no line tells of so far.
  bool urgent_ ABSL_GUARDED_BY(mu_) = false;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;

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

#endif  // HAPAX_SERVER_LOG_WRITER_H_
