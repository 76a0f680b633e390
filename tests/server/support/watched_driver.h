#ifndef HAPAX_TESTS_SERVER_SUPPORT_WATCHED_DRIVER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_WATCHED_DRIVER_H_

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_driver.h"

namespace hapax {

// Passes everything on to another driver, and counts the completions that became durable.
//
// Thread-safety: safe.
// Lifetime: the other driver outlives it.
class WatchedDriver final : public WorkDriver {
 public:
  explicit WatchedDriver(WorkDriver& driver) : driver_(driver) {}

  void Perform(const std::string& subject, Done done) override { driver_.Perform(subject, std::move(done)); }
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override {
    HAPAX_RETURN_IF_ERROR(driver_.Complete(subject, result, txn));
    txn.OnCommit([this] {
      absl::MutexLock lock(&mu_);
      ++completed_;
    });
    return absl::OkStatus();
  }

  // Waits until `count` more pieces of work are completed than at the last time.
  void AwaitCompleted(int count) {
    absl::MutexLock lock(&mu_);
    expected_ += count;
    const auto reached = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return completed_ >= expected_; };
    mu_.Await(absl::Condition(&reached));
  }

 private:
  WorkDriver& driver_;
  absl::Mutex mu_;
  int completed_ ABSL_GUARDED_BY(mu_) = 0;
  int expected_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_WATCHED_DRIVER_H_
