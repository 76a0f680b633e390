#include "hapax/tests/support/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hapax {
namespace {

void Check(int error) {
  if (error != 0) throw std::system_error(error, std::generic_category(), "child process");
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"child"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int pipe_ends[2];
  Check(::pipe2(pipe_ends, O_CLOEXEC) == 0 ? 0 : errno);
  output_ = pipe_ends[0];
  posix_spawn_file_actions_t actions;
  Check(::posix_spawn_file_actions_init(&actions));
  Check(::posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO));
  const int error = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  Check(error);
}

ChildProcess::~ChildProcess() {
  Kill();
  Wait();
  ::close(output_);
}

bool ChildProcess::Read(void* bytes, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t count = ::read(output_, static_cast<char*>(bytes) + got, size - got);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    got += static_cast<size_t>(count);
  }
  return true;
}

void ChildProcess::Kill() {
  if (pid_ >= 0) ::kill(pid_, SIGKILL);
}

int ChildProcess::Wait() {
  if (pid_ < 0) return signal_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return signal_;
}

int ChildProcess::ExitCode() {
  Wait();
  return exit_code_;
}

}  // namespace hapax
