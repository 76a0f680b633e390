#ifndef HAPAX_TESTS_SUPPORT_CHILD_PROCESS_H_
#define HAPAX_TESTS_SUPPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace hapax {

// Runs this test program as another process, with arguments for which its main() acts differently.
//
//   ChildProcess child({"--workload", path});
//   while (child.Read(&number, sizeof(number))) ...
//   child.Kill();
//
// It is started anew rather than forked, since forking a process with threads is unsafe. The destructor kills it.
//
// Thread-safety: for one thread.
class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& arguments);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Reads the next `size` bytes of its standard output. Returns false when it has ended or closed its output, and no
  // bytes are left.
  bool Read(void* bytes, size_t size);

  // Kills it (SIGKILL). Its output can still be read.
  void Kill();

  // Waits until it has ended. Returns the signal that ended it, or 0 when it exited.
  int Wait();

  // Waits until it has ended, and returns its exit code, or -1 when a signal ended it.
  int ExitCode();

 private:
  pid_t pid_ = -1;  // -1 once it has ended and been waited for.
  int output_ = -1;
  int signal_ = 0;
  int exit_code_ = -1;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_CHILD_PROCESS_H_
