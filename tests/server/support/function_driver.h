#ifndef HAPAX_TESTS_SERVER_SUPPORT_FUNCTION_DRIVER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_FUNCTION_DRIVER_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "hapax/server/operations/work_driver.h"

namespace hapax {

// A driver of two functions. Unless the test says otherwise, work is done at once and its completion writes nothing.
//
// Thread-safety: that of the functions.
class FunctionDriver final : public WorkDriver {
 public:
  std::function<void(const std::string& subject, Done done)> on_perform = [](const std::string&, Done done) {
    done(absl::OkStatus());
  };
  std::function<absl::Status(const std::string& subject, Transaction& txn)> on_complete =
      [](const std::string&, Transaction&) { return absl::OkStatus(); };

  void Perform(const std::string& subject, Done done) override { on_perform(subject, std::move(done)); }
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& /*result*/,
                                      Transaction& txn) override {
    return on_complete(subject, txn);
  }
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_FUNCTION_DRIVER_H_
