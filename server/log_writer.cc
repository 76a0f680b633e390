#include "hapax/server/log_writer.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hapax {
namespace {

constexpr absl::Duration kGatherTime = absl::Milliseconds(10);

// Writes what it can, and returns the rest. Waits for a reader, also of a descriptor that does not block.
std::string_view WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
      poll(&writable, 1, /*timeout=*/-1);
    } else if (written == 0 || errno != EINTR) {
      break;
    }
  }
  return bytes;
}

// Has the calling thread told of a reader who is gone by an error, which does not end the process as a signal would.
void BlockSigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
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
  pending_.append(line);
}

void LogWriter::Flush() {
  absl::MutexLock lock(&mu_);
  if (pending_.empty()) return;
  urgent_ = true;
  wakeup_.Signal();
}

size_t LogWriter::TakeLines(std::string& lines) {
  absl::MutexLock lock(&mu_);
  while (pending_.empty() && !closing_) wakeup_.Wait(&mu_);
  const absl::Time write_at = absl::Now() + kGatherTime;
  while (!urgent_ && !closing_ && !wakeup_.WaitWithDeadline(&mu_, write_at)) {
  }
  urgent_ = false;
  lines.clear();
  lines.swap(pending_);
  if (left_out_ > 0) absl::StrAppend(&lines, R"({"level":"warning","log_lines_left_out":)", left_out_, "}\n");
  return left_out_;
}

void LogWriter::Run() {
  BlockSigpipe();
  std::string lines;
  bool torn = false;  // Of the line that was written last, the end is missing.
  while (true) {
    const size_t told = TakeLines(lines);
    if (torn) torn = !WriteAll(fd_, "\n").empty();
    const std::string_view rest = WriteAll(fd_, lines);
    if (!rest.empty() && rest.size() < lines.size()) torn = lines[lines.size() - rest.size() - 1] != '\n';

    absl::MutexLock lock(&mu_);
    left_out_ -= told;
    // The line that tells is the last, so that it is part of any rest.
    if (!rest.empty())
      left_out_ += static_cast<size_t>(std::count(rest.begin(), rest.end(), '\n')) + told - (told > 0 ? 1 : 0);
    if (closing_ && pending_.empty()) return;
  }
}

}  // namespace hapax
