#ifndef HAPAX_TESTS_SERVER_SUPPORT_FIXED_IDS_H_
#define HAPAX_TESTS_SERVER_SUPPORT_FIXED_IDS_H_

#include <iomanip>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/server/hosting/ids.h"

namespace hapax::compute {

// Id number `number` of the prefix: `i-00000000000000001`.
[[nodiscard]] inline std::string FixedId(std::string_view prefix, int number) {
  std::ostringstream id;
  id << prefix << '-' << std::hex << std::setw(17) << std::setfill('0') << number;
  return std::move(id).str();
}

// Counts the ids of each prefix, from 1. Thread-safety: safe.
class FixedIds final : public IdSource {
 public:
  [[nodiscard]] std::string NewId(std::string_view prefix) override {
    absl::MutexLock lock(&mu_);
    return FixedId(prefix, ++last_[std::string(prefix)]);
  }
  // Begins again.
  void Reset() {
    absl::MutexLock lock(&mu_);
    last_.clear();
  }

 private:
  absl::Mutex mu_;
  std::map<std::string, int> last_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_SUPPORT_FIXED_IDS_H_
