#ifndef HAPAX_TESTING_REPEATED_HANDLERS_H_
#define HAPAX_TESTING_REPEATED_HANDLERS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/interceptors/method.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/testing/counted_ids.h"

namespace hapax {

// What was not repeatable. Thread-safety: safe.
class RepeatFindings {
 public:
  void Add(std::string finding) {
    absl::MutexLock lock(&mu_);
    findings_.push_back(std::move(finding));
  }
  [[nodiscard]] std::vector<std::string> all() const {
    absl::MutexLock lock(&mu_);
    return findings_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> findings_ ABSL_GUARDED_BY(mu_);
};

// The method, with a mutation that runs its handler twice (repeat.h). The runs must also agree in the reply, and in the
// defaults they record. Where they do not, that is a finding, and the call's error: INTERNAL.
//
// Lifetime: all of these outlive it.
[[nodiscard]] Method RepeatedMethod(const Method& method, CountedIds& ids, RepeatFindings& findings);

// The driver, with completions that are run twice. Where the runs do not agree, that is a finding; the second one
// counts all the same, so that the work ends.
//
// Lifetime: all of these outlive it.
class RepeatedDriver final : public WorkDriver {
 public:
  RepeatedDriver(std::string kind, WorkDriver& driver, CountedIds& ids, RepeatFindings& findings)
      : kind_(std::move(kind)), driver_(driver), ids_(ids), findings_(findings) {}

  void Perform(const std::string& subject, Done done) override { driver_.Perform(subject, std::move(done)); }
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override;

 private:
  const std::string kind_;
  WorkDriver& driver_;
  CountedIds& ids_;
  RepeatFindings& findings_;
};

}  // namespace hapax

#endif  // HAPAX_TESTING_REPEATED_HANDLERS_H_
