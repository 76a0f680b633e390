#ifndef HAPAX_TESTS_SUPPORT_CHILD_PROCESS_H_
#define HAPAX_TESTS_SUPPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace hapax {

// This test program once more, as another process with arguments of its own, which its main() acts upon.
//
//   ChildProcess child({"--workload", path});
//   while (child.Read(&number, sizeof(number))) ...
//   child.Kill();
//
// It is started anew rather than forked, since a fork of a process with threads is not sound. It is killed
// at the end of the object at the latest.
//
// Thread-safety: for one thread.
class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& arguments);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Takes the next `size` bytes that it wrote to its standard output. False when it has ended, or closed
  // that, and there are no more.
  bool Read(void* bytes, size_t size);

  // Ends it at once (SIGKILL); what it wrote can still be read.
  void Kill();

  // Waits until it has ended, and returns the signal that ended it, or 0 when it exited.
  int Wait();

  // Waits until it has ended, and returns its exit code, or -1 when a signal ended it.
  int ExitCode();

 private:
  pid_t pid_ = -1;  // -1: it has ended and was waited for.
  int output_ = -1;
  int signal_ = 0;
  int exit_code_ = -1;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_CHILD_PROCESS_H_
