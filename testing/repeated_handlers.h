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

// The differences found between runs. Thread-safety: safe.
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

// Returns the method, but with a mutation that runs its handler twice (repeat.h). The runs must also agree in the reply
// and the recorded defaults. A difference is added to `findings`, and the call ends with INTERNAL.
//
// Lifetime: all arguments outlive it.
[[nodiscard]] Method RepeatedMethod(const Method& method, CountedIds& ids, RepeatFindings& findings);

// A driver whose completions run twice. A difference is added to `findings`. The second run counts even then, so that
// the work ends.
//
// Lifetime: all arguments outlive it.
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
