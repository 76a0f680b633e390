#include "hapax/server/log_writer.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hapax {
namespace {

constexpr absl::Duration kGatherTime = absl::Milliseconds(10);

// Nobody can be told that the descriptor cannot be written to.
void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

LogWriter::LogWriter(int fd, size_t max_pending_bytes)
    : fd_(fd), max_pending_bytes_(max_pending_bytes), thread_([this] { Run(); }) {}

LogWriter::~LogWriter() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
    wakeup_.Signal();
  }
  thread_.join();
}

void LogWriter::Append(std::string_view line) {
  absl::MutexLock lock(&mu_);
  if (pending_.size() + line.size() > max_pending_bytes_) {
    ++left_out_;
    return;
  }
  if (pending_.empty()) wakeup_.Signal();
  if (left_out_ > 0) {
    absl::StrAppend(&pending_, R"({"level":"warning","log_lines_left_out":)", left_out_, "}\n");
    left_out_ = 0;
  }
  pending_.append(line);
}

void LogWriter::Flush() {
  absl::MutexLock lock(&mu_);
  if (pending_.empty()) return;
  urgent_ = true;
  wakeup_.Signal();
}

void LogWriter::Run() {
  std::string lines;
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      while (pending_.empty() && !closing_) wakeup_.Wait(&mu_);
      if (pending_.empty()) return;
      const absl::Time write_at = absl::Now() + kGatherTime;
      while (!urgent_ && !closing_ && !wakeup_.WaitWithDeadline(&mu_, write_at)) {
      }
      lines.swap(pending_);
      urgent_ = false;
    }
    WriteAll(fd_, lines);
    lines.clear();
  }
}

}  // namespace hapax
