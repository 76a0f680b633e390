#ifndef HAPAX_TESTS_SERVER_SUPPORT_SCRIPTED_DRIVER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_SCRIPTED_DRIVER_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_driver.h"

namespace hapax {

// A driver that performs its work when the test says so, and counts in a row, named like the subject, how
// often a subject is completed.
//
// Thread-safety: safe.
class ScriptedDriver final : public WorkDriver {
 public:
  // Before any work: called at the start of every Perform; and work is done at once.
  void OnPerform(std::function<void(const std::string& subject)> hook) { on_perform_ = std::move(hook); }
  void DoAtOnce() { at_once_ = true; }

  // The next `times` completions of the subject end with this error, after `hook` was called in their transactions.
  void Fail(
      const std::string& subject, absl::Status error, int times, std::function<void()> hook = [] {}) {
    absl::MutexLock lock(&mu_);
    failures_[subject] = {std::move(error), times, std::move(hook)};
  }

  void Perform(const std::string& subject, Done done) override {
    if (on_perform_ != nullptr) on_perform_(subject);
    {
      absl::MutexLock lock(&mu_);
      performed_.push_back(subject);
      if (!at_once_) {
        held_.emplace_back(subject, std::move(done));
        return;
      }
    }
    std::move(done)(absl::OkStatus());
  }

  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override {
    {
      absl::MutexLock lock(&mu_);
      results_[subject] = result;
      if (auto failure = failures_.find(subject); failure != failures_.end() && failure->second.times > 0) {
        --failure->second.times;
        failure->second.hook();
        return failure->second.error;
      }
    }
    HAPAX_ASSIGN_OR_RETURN(const auto row, txn.Get(Table::kResources, subject));
    int count = 0;
    if (row.has_value() && !absl::SimpleAtoi(*row, &count)) return absl::DataLossError(*row);
    txn.Put(Table::kResources, subject, std::to_string(count + 1));
    txn.OnCommit([this] {
      absl::MutexLock lock(&mu_);
      ++completed_;
    });
    return absl::OkStatus();
  }

  // The subjects that it was told to perform, in that order.
  [[nodiscard]] std::vector<std::string> performed() const {
    absl::MutexLock lock(&mu_);
    return performed_;
  }
  // Takes what is performed and not done: call these, or drop them, as the end of a server does.
  [[nodiscard]] std::vector<std::pair<std::string, Done>> TakeHeld() {
    absl::MutexLock lock(&mu_);
    return std::exchange(held_, {});
  }
  // Everything held is done, or has failed.
  void FinishAll(const absl::Status& result = absl::OkStatus()) {
    for (auto& [subject, done] : TakeHeld()) std::move(done)(result);
  }
  // Returns when it was told to perform `count` pieces of work in all.
  void AwaitPerformed(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto reached = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return performed_.size() >= count; };
    mu_.Await(absl::Condition(&reached));
  }
  // The result that the subject was last completed with.
  [[nodiscard]] absl::Status ResultOf(const std::string& subject) {
    absl::MutexLock lock(&mu_);
    return results_[subject];
  }
  // Returns when `count` completions in all are durable.
  void AwaitCompleted(int count) {
    absl::MutexLock lock(&mu_);
    const auto reached = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return completed_ >= count; };
    mu_.Await(absl::Condition(&reached));
  }

 private:
  struct Failure {
    absl::Status error;
    int times = 0;
    std::function<void()> hook;
  };

  std::function<void(const std::string&)> on_perform_;
  bool at_once_ = false;
  mutable absl::Mutex mu_;
  std::vector<std::string> performed_ ABSL_GUARDED_BY(mu_);
  std::vector<std::pair<std::string, Done>> held_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Failure> failures_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, absl::Status> results_ ABSL_GUARDED_BY(mu_);
  int completed_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_SCRIPTED_DRIVER_H_
