#include "hapax/base/log/log_writer.h"

#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <future>
#include <limits>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/base/monitor.h"

namespace hapax {
namespace {

constexpr absl::Duration kGatherTime = absl::Milliseconds(10);
// Longer waits would overflow the steady clock.
constexpr absl::Duration kLongestWait = absl::Hours(24 * 365);
// How often a thread that waits for the descriptor checks whether it was abandoned.
constexpr int kLookUpMs = 100;

// How many bytes are written at once. A writable pipe accepts this many without blocking; a file never blocks, so it
// takes any number.
size_t PieceFor(int fd) {
  constexpr size_t kPipeTakes = 4096;
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? std::numeric_limits<size_t>::max() : kPipeTakes;
}

// Makes a write to a closed pipe fail with an error on this thread, instead of a signal that ends the process.
void BlockSigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

size_t CountLines(std::string_view text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

// The pending lines, and the loop that writes them.
class LogWriter::Lines {
 public:
  Lines(int fd, size_t max_pending_bytes) : fd_(fd), max_pending_bytes_(max_pending_bytes), piece_(PieceFor(fd)) {}

  void Append(std::string_view line);
  void Flush();
  // Makes the thread write what is pending and end. Returns false on a timeout; then the thread writes nothing more.
  [[nodiscard]] bool AwaitEnd(absl::Duration timeout);
  // The number of appended lines that were not written.
  [[nodiscard]] size_t Lost();

  void Run();

 private:
  // Waits for lines, or for the end, and gathers more lines for a short time. Appends a line about dropped lines, if
  // there were any, and returns their number.
  size_t TakeLines(std::string& lines);
  // Writes what it can, and returns the rest. Waits for the reader, even if the descriptor is non-blocking.
  [[nodiscard]] std::string_view WriteAll(std::string_view bytes);
  [[nodiscard]] size_t NextPiece(std::string_view bytes) const;
  [[nodiscard]] bool IsAbandoned();

  const int fd_;
  const size_t max_pending_bytes_;
  const size_t piece_;
  std::promise<void> ended_;  // Set when the thread has ended.

  Monitor mu_;
  std::string pending_ ABSL_GUARDED_BY(mu_);
  size_t writing_ ABSL_GUARDED_BY(mu_) = 0;  // Lines taken by the thread, not known to be written yet.
  size_t dropped_ ABSL_GUARDED_BY(mu_) = 0;  // Dropped lines that were not reported yet.
  bool urgent_ ABSL_GUARDED_BY(mu_) = false;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mu_) = false;  // Close has timed out.
};

void LogWriter::Lines::Append(std::string_view line) {
  MonitorLock lock(&mu_);
  if (abandoned_ || pending_.size() + line.size() > max_pending_bytes_) {
    ++dropped_;
    return;
  }
  if (pending_.empty()) mu_.WakeAll();
  pending_.append(line);
}

void LogWriter::Lines::Flush() {
  MonitorLock lock(&mu_);
  if (pending_.empty()) return;
  urgent_ = true;
  mu_.WakeAll();
}

bool LogWriter::Lines::AwaitEnd(absl::Duration timeout) {
  {
    MonitorLock lock(&mu_);
    closing_ = true;
    mu_.WakeAll();
  }
  const auto limit = absl::ToChronoNanoseconds(std::min(timeout, kLongestWait));
  const bool ended = ended_.get_future().wait_for(limit) == std::future_status::ready;
  MonitorLock lock(&mu_);
  abandoned_ = true;
  return ended;
}

size_t LogWriter::Lines::Lost() {
  MonitorLock lock(&mu_);
  return dropped_ + writing_ + CountLines(pending_);
}

bool LogWriter::Lines::IsAbandoned() {
  MonitorLock lock(&mu_);
  return abandoned_;
}

// Pieces end at a line end where possible, since others may write to the descriptor, too.
size_t LogWriter::Lines::NextPiece(std::string_view bytes) const {
  if (bytes.size() <= piece_) return bytes.size();
  const size_t last_newline = bytes.substr(0, piece_).rfind('\n');
  return last_newline == std::string_view::npos ? piece_ : last_newline + 1;
}

std::string_view LogWriter::Lines::WriteAll(std::string_view bytes) {
  while (!bytes.empty() && !IsAbandoned()) {
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&writable, 1, kLookUpMs) <= 0) continue;
    const ssize_t written = write(fd_, bytes.data(), NextPiece(bytes));
    if (written > 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (written == 0 || (errno != EINTR && errno != EAGAIN)) {
      break;
    }
  }
  return bytes;
}

size_t LogWriter::Lines::TakeLines(std::string& lines) {
  MonitorLock lock(&mu_);
  mu_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || !pending_.empty(); });
  const auto is_urgent = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || urgent_; };
  mu_.AwaitUntil(is_urgent, MonotonicNow() + kGatherTime);
  urgent_ = false;
  lines.clear();
  lines.swap(pending_);
  writing_ = CountLines(lines);
  if (dropped_ > 0) absl::StrAppend(&lines, R"({"level":"warning","log_lines_left_out":)", dropped_, "}\n");
  return dropped_;
}

void LogWriter::Lines::Run() {
  BlockSigpipe();
  std::string lines;
  bool torn = false;  // The line written last is incomplete.
  while (true) {
    const size_t told = TakeLines(lines);
    if (torn) torn = !WriteAll("\n").empty();
    const std::string_view rest = WriteAll(lines);
    if (!rest.empty() && rest.size() < lines.size()) torn = lines[lines.size() - rest.size() - 1] != '\n';

    MonitorLock lock(&mu_);
    writing_ = 0;
    dropped_ -= told;
    // The line about dropped lines is the last one, so any rest contains it.
    if (!rest.empty()) dropped_ += CountLines(rest) + told - (told > 0 ? 1 : 0);
    if ((closing_ && pending_.empty()) || abandoned_) break;
  }
  ended_.set_value();
}

LogWriter::LogWriter(int fd, size_t max_pending_bytes)
    : lines_(std::make_shared<Lines>(fd, max_pending_bytes)), thread_([lines = lines_] { lines->Run(); }) {}

LogWriter::~LogWriter() { Close(); }

void LogWriter::Append(std::string_view line) { lines_->Append(line); }

void LogWriter::Flush() { lines_->Flush(); }

size_t LogWriter::Close(absl::Duration timeout) {
  if (thread_.joinable()) {
    if (lines_->AwaitEnd(timeout)) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }
  return lines_->Lost();
}

}  // namespace hapax
