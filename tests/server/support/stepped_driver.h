#ifndef HAPAX_TESTS_SERVER_SUPPORT_STEPPED_DRIVER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_STEPPED_DRIVER_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_driver.h"

namespace hapax {

// What a piece of work goes through, in this order. A server tells kCommitted and kCompleted once for each piece,
// however often the piece is performed.
enum class WorkStep {
  kCommitted,     // The call's commit is durable, and nothing is performed yet.
  kBeforeEffect,  // The machinery is told to perform it. The machinery's own step, as the next one is.
  kAfterEffect,   // It is performed, and nobody is told yet.
  kCompleting,    // Its completion is part of a transaction that is not committed yet.
  kCompleted,     // That is durable.
};

// Called at every step of every piece of work, on the server's threads.
using StepHook = std::function<void(std::string_view kind, WorkStep step)>;

// Counts pieces of work that are written down as done. Thread-safety: safe.
class Completions {
 public:
  void Add() {
    absl::MutexLock lock(&mu_);
    ++count_;
  }
  // Returns when there are `count` in all.
  void Await(int count) {
    absl::MutexLock lock(&mu_);
    const auto reached = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return count_ >= count; };
    mu_.Await(absl::Condition(&reached));
  }

 private:
  absl::Mutex mu_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

// Passes everything on to a driver of its own, of type `Driver`, tells of the steps, and counts the completions. Open
// pieces of work must have different subjects.
//
// Thread-safety: safe.
// Lifetime: `completions` outlives it.
template <typename Driver>
class SteppedDriver final : public WorkDriver {
 public:
  template <typename... Arguments>
  SteppedDriver(std::string_view kind, StepHook on_step, Completions& completions, Arguments&&... arguments)
      : kind_(kind),
        on_step_(std::move(on_step)),
        completions_(completions),
        driver_(std::forward<Arguments>(arguments)...) {}

  void Perform(const std::string& subject, Done done) override {
    if (Begin(subject)) Tell(WorkStep::kCommitted);
    driver_.Perform(subject, std::move(done));
  }
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override {
    HAPAX_RETURN_IF_ERROR(driver_.Complete(subject, result, txn));
    Tell(WorkStep::kCompleting);
    txn.OnCommit([this, subject] {
      End(subject);
      Tell(WorkStep::kCompleted);
      completions_.Add();
    });
    return absl::OkStatus();
  }

 private:
  // Returns whether the subject's work is new here. Work that was UNAVAILABLE, or failed, is performed again.
  [[nodiscard]] bool Begin(const std::string& subject) {
    absl::MutexLock lock(&mu_);
    return begun_.insert(subject).second;
  }
  void End(const std::string& subject) {
    absl::MutexLock lock(&mu_);
    begun_.erase(subject);
  }
  void Tell(WorkStep step) const {
    if (on_step_ != nullptr) on_step_(kind_, step);
  }

  const std::string_view kind_;
  const StepHook on_step_;
  Completions& completions_;
  Driver driver_;

  absl::Mutex mu_;
  std::set<std::string> begun_ ABSL_GUARDED_BY(mu_);  // Subjects whose work is not completed yet.
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_STEPPED_DRIVER_H_
