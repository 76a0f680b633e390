#ifndef HAPAX_SERVER_HOSTING_RUNNING_HANDLERS_H_
#define HAPAX_SERVER_HOSTING_RUNNING_HANDLERS_H_

#include <atomic>
#include <string>
#include <vector>

namespace hapax {

// Marks its thread as running a handler while it exists, so that a handler that never ends can be named. It costs two
// stores.
//
// Thread-safety: for one thread. Lifetime: the name outlives it.
class RunningHandler {
 public:
  explicit RunningHandler(const std::string& name);
  ~RunningHandler();
  RunningHandler(const RunningHandler&) = delete;
  RunningHandler& operator=(const RunningHandler&) = delete;

 private:
  std::atomic<const std::string*>& running_;  // The entry of this thread.
  const std::string* const outer_;            // The handler that ran before; null if none.
};

// Returns those of `names` whose handler currently runs on any thread. Names are compared by address.
[[nodiscard]] std::vector<const std::string*> RunningAmong(const std::vector<const std::string*>& names);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_RUNNING_HANDLERS_H_
