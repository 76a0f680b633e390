#include "hapax/base/log/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/check.h"
#include "hapax/tests/support/file_size_limit.h"
#include "hapax/tests/support/files.h"
#include "hapax/tests/support/temp_dir.h"
#include "spdlog/logger.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr char kLeftOut[] = R"({"level":"warning","log_lines_left_out":)";

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  EXPECT_EQ(lines.back(), "");  // The last line, too, has its newline.
  lines.pop_back();
  return lines;
}

// A file to log to.
class LogFile {
 public:
  LogFile() : fd_(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    HAPAX_CHECK(fd_ >= 0, "a temp file can be made");
  }
  ~LogFile() { close(fd_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::vector<std::string> Lines() const { return LinesOf(ContentOf(path_)); }

 private:
  const TempDir dir_;
  const std::string path_ = dir_.Path("log");
  const int fd_;
};

// A pipe to log to, which is full until it is read.
class LogPipe {
 public:
  explicit LogPipe(int flags = 0) {
    HAPAX_CHECK(pipe2(ends_, O_CLOEXEC | flags) == 0, "a pipe can be made");
    // As small as can be: a page.
    fcntl(ends_[1], F_SETPIPE_SZ, 1);
    size_ = fcntl(ends_[1], F_GETPIPE_SZ);
  }
  ~LogPipe() {
    CloseReader();
    close(ends_[1]);
  }
  LogPipe(const LogPipe&) = delete;
  LogPipe& operator=(const LogPipe&) = delete;

  [[nodiscard]] int fd() const { return ends_[1]; }
  // How many bytes it holds.
  [[nodiscard]] size_t size() const { return static_cast<size_t>(size_); }
  // Reads up to and without the next newline; waits for it.
  std::string ReadLine() {
    std::string line;
    for (char c = 0;; line += c) {
      pollfd readable{.fd = ends_[0], .events = POLLIN, .revents = 0};
      poll(&readable, 1, -1);
      if (read(ends_[0], &c, 1) != 1 || c == '\n') return line;
    }
  }
  void CloseReader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
  int size_ = 0;
};

TEST(LogWriterTest, TheDestructorHasWrittenEveryLineInOrder) {
  LogFile file;
  constexpr int kLines = 10'000;
  {
    LogWriter writer(file.fd());
    for (int i = 0; i < kLines; ++i) writer.Append(absl::StrCat(i, "\n"));
  }
  const auto lines = file.Lines();
  ASSERT_THAT(lines, SizeIs(kLines));
  for (int i = 0; i < kLines; ++i) ASSERT_EQ(lines[static_cast<size_t>(i)], absl::StrCat(i));
}

TEST(LogWriterTest, LinesOfSeveralThreadsAreWholeAndEachThreadsAreInOrder) {
  LogFile file;
  constexpr int kThreads = 4;
  constexpr int kLines = 2'000;
  {
    LogWriter writer(file.fd());
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&writer, thread] {
        for (int i = 0; i < kLines; ++i) {
          writer.Append(absl::StrCat(thread, " ", i, "\n"));
          if (i % 100 == 0) writer.Flush();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<int> next(kThreads, 0);
  for (const std::string& line : file.Lines()) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    ASSERT_THAT(parts, SizeIs(2)) << line;
    int thread = 0;
    ASSERT_TRUE(absl::SimpleAtoi(parts[0], &thread) && thread < kThreads) << line;
    ASSERT_EQ(parts[1], absl::StrCat(next[static_cast<size_t>(thread)]++));
  }
  EXPECT_THAT(next, testing::Each(kLines));
}

TEST(LogWriterTest, ALineIsWrittenSoonWithoutAFlush) {
  LogPipe pipe;
  LogWriter writer(pipe.fd());
  writer.Append("one\n");
  EXPECT_EQ(pipe.ReadLine(), "one");
  writer.Append("two\n");
  EXPECT_EQ(pipe.ReadLine(), "two");
}

TEST(LogWriterTest, NothingAtAllIsWrittenWhenThereIsNothing) {
  LogFile file;
  { LogWriter(file.fd()).Flush(); }
  EXPECT_THAT(file.Lines(), testing::IsEmpty());
}

TEST(LogWriterTest, ALineLongerThanThePipeComesWhole) {
  LogPipe pipe(O_NONBLOCK);  // As a parent may leave its child's standard error.
  const std::string longer(pipe.size() * 3, 'x');
  LogWriter writer(pipe.fd());
  writer.Append(longer + "\n");
  EXPECT_EQ(pipe.ReadLine(), longer);
}

// With a reader who has stopped reading, the writer's thread holds one batch, and the rest waits for it.
TEST(LogWriterTest, WhatFindsNoRoomIsLeftOutAndCountedByALine) {
  LogPipe pipe;
  const std::string batch(pipe.size() * 2, 'x');
  LogWriter writer(pipe.fd(), /*max_pending_bytes=*/batch.size() + 1);
  writer.Append(batch + "\n");
  // The thread has taken that batch once some of it is in the pipe: from then on it waits for the reader.
  pollfd readable{.fd = pipe.fd(), .events = POLLOUT, .revents = 0};
  while (poll(&readable, 1, 0) == 1) std::this_thread::yield();

  const size_t fit = (batch.size() + 1) / 4;
  for (size_t i = 0; i < fit; ++i) writer.Append("fit\n");
  for (int i = 0; i < 5; ++i) writer.Append("too many\n");

  EXPECT_EQ(pipe.ReadLine(), batch);
  for (size_t i = 0; i < fit; ++i) ASSERT_EQ(pipe.ReadLine(), "fit");
  EXPECT_EQ(pipe.ReadLine(), absl::StrCat(kLeftOut, "5}"));
  writer.Append("room again\n");
  EXPECT_EQ(pipe.ReadLine(), "room again");
}

TEST(LogWriterTest, WhatWasLeftOutLastIsToldAtTheEnd) {
  LogFile file;
  {
    LogWriter writer(file.fd(), /*max_pending_bytes=*/4);
    writer.Append("longer than there can be room for\n");
  }
  EXPECT_THAT(file.Lines(), ElementsAre(absl::StrCat(kLeftOut, "1}")));
}

TEST(LogWriterTest, AReaderWhoIsGoneEndsNeitherTheProcessNorTheWriter) {
  LogPipe pipe;
  pipe.CloseReader();
  LogWriter writer(pipe.fd());
  for (int i = 0; i < 3; ++i) {
    writer.Append("to nobody\n");
    writer.Flush();
  }
}

// A writer whose reader hangs ends all the same, and tells how much is lost.
TEST(LogWriterTest, AReaderWhoHangsDoesNotHoldUpTheEnd) {
  LogPipe pipe;
  LogWriter writer(pipe.fd());
  const std::string line(pipe.size() / 2 - 1, 'x');
  constexpr size_t kLines = 10;
  for (size_t i = 0; i < kLines; ++i) writer.Append(line + "\n");
  pollfd writable{.fd = pipe.fd(), .events = POLLOUT, .revents = 0};
  while (poll(&writable, 1, 0) == 1) std::this_thread::yield();
  // Two are in the pipe. Of a batch that is under way nothing is known yet, and it counts as lost.
  EXPECT_THAT(writer.Close(absl::ZeroDuration()), testing::AllOf(testing::Ge(kLines - 2), testing::Le(kLines)));
  writer.Append("too late\n");
  { LogWriter never_read(pipe.fd()); }
}

TEST(LogWriterTest, NothingIsLostWhenTheReaderReads) {
  LogFile file;
  LogWriter writer(file.fd());
  writer.Append("one\n");
  EXPECT_EQ(writer.Close(absl::InfiniteDuration()), 0u);
  EXPECT_THAT(file.Lines(), ElementsAre("one"));
}

std::atomic<int> failed_writes = 0;

// The disk is full in the midst of a line, and has room again later.
TEST(LogWriterTest, WhatCannotBeWrittenIsCountedOnceItCanBeAndNoOtherLineIsTorn) {
  LogFile file;
  {
    LogWriter writer(file.fd());
    {
      const FileSizeLimit limit(3);
      std::signal(SIGXFSZ, [](int) { ++failed_writes; });
      writer.Append("one of which there is a part\n");
      while (failed_writes < 1) std::this_thread::yield();
      writer.Append("two\n");
      while (failed_writes < 3) std::this_thread::yield();  // The end of the torn line, and the new one.
    }
    writer.Append("three\n");
  }
  EXPECT_THAT(file.Lines(), ElementsAre("one", "three", absl::StrCat(kLeftOut, "2}")));
}

TEST(LogSinkTest, ALoggersLinesAreFormattedAndThoseOfTwoLoggersShareAWriter) {
  LogFile file;
  {
    const auto writer = std::make_shared<LogWriter>(file.fd());
    spdlog::logger one("one", std::make_shared<LogSink>(writer));
    spdlog::logger two("two", std::make_shared<LogSink>(writer));
    one.set_pattern("%n %l %v");
    two.set_pattern("%n|%v");
    one.info("a {}", 1);
    two.warn("b");
    one.error("c");
    two.debug("below the level");
  }
  EXPECT_THAT(file.Lines(), ElementsAre("one info a 1", "two|b", "one error c"));
}

TEST(LogSinkTest, FlushOnALevelHasTheLineWrittenAtOnce) {
  LogPipe pipe;
  spdlog::logger logger("log", std::make_shared<LogSink>(std::make_shared<LogWriter>(pipe.fd())));
  logger.set_pattern("%v");
  logger.flush_on(spdlog::level::warn);
  logger.warn("out of the ordinary");
  EXPECT_EQ(pipe.ReadLine(), "out of the ordinary");
}

}  // namespace
}  // namespace hapax
