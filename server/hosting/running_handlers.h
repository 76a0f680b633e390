#ifndef HAPAX_SERVER_HOSTING_RUNNING_HANDLERS_H_
#define HAPAX_SERVER_HOSTING_RUNNING_HANDLERS_H_

#include <atomic>
#include <string>
#include <vector>

namespace hapax {

// Says, as long as it exists, that its thread runs a handler: so that one that never ends can be named. It costs two
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
  std::atomic<const std::string*>& running_;  // On this thread.
  const std::string* const outer_;            // What ran before; null: nothing.
};

// Those of `names` that a handler runs under just now, on any thread. Told apart by their addresses.
[[nodiscard]] std::vector<const std::string*> RunningAmong(const std::vector<const std::string*>& names);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_RUNNING_HANDLERS_H_
