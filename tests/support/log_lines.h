#ifndef HAPAX_TESTS_SUPPORT_LOG_LINES_H_
#define HAPAX_TESTS_SUPPORT_LOG_LINES_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hapax {

// Collects the lines that a store logs, for tests that wait for one of them.
//
//   LogLines log;
//   auto store = OpenRocksDbStore({.path = path, .log = log.Sink()});
//   ...
//   log.WaitFor("writes resumed");
//
// Thread-safety: safe.
class LogLines {
 public:
  [[nodiscard]] std::function<void(std::string_view)> Sink() const {
    return [state = state_](std::string_view line) {
      absl::MutexLock lock(&state->mu);
      state->lines.emplace_back(line);
    };
  }
  // Waits for a line that contains `part`, logged since the last such wait.
  void WaitFor(std::string_view part) const {
    absl::MutexLock lock(&state_->mu);
    auto found = state_->lines.end();
    const auto has_come = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) {
      found = std::find_if(state_->lines.begin() + state_->waited_for, state_->lines.end(),
                           [&](const std::string& line) { return line.find(part) != std::string::npos; });
      return found != state_->lines.end();
    };
    state_->mu.Await(absl::Condition(&has_come));
    state_->waited_for = found - state_->lines.begin() + 1;
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    absl::MutexLock lock(&state_->mu);
    return state_->lines;
  }

 private:
  struct State {
    absl::Mutex mu;
    std::vector<std::string> lines ABSL_GUARDED_BY(mu);
    ptrdiff_t waited_for ABSL_GUARDED_BY(mu) = 0;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_LOG_LINES_H_
