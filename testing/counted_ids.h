#ifndef HAPAX_TESTING_COUNTED_IDS_H_
#define HAPAX_TESTING_COUNTED_IDS_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/server/hosting/ids.h"

namespace hapax {

// Returns the id with this number: `i-00000000000000001`.
[[nodiscard]] std::string CountedId(std::string_view prefix, int number);

// Makes ids by counting from 1 for each prefix, so a test knows them in advance. Thread-safety: safe.
class CountedIds final : public IdSource {
 public:
  [[nodiscard]] std::string NewId(std::string_view prefix) override;
  // Counts from 1 again.
  void Reset();

  // Two runs of a body on one thread (repeat.h). The second run gets the ids of the first, as long as it asks for the
  // same prefixes. Only one may exist at a time. Thread-safety: for the thread that creates it.
  class Repetition {
   public:
    explicit Repetition(CountedIds& ids);
    ~Repetition();
    Repetition(const Repetition&) = delete;
    Repetition& operator=(const Repetition&) = delete;

    // Ends the first run.
    void BeginSecondRun();

   private:
    CountedIds& ids_;
  };

 private:
  struct Given {
    std::string prefix;
    std::string id;
  };

  [[nodiscard]] std::string NextId(std::string_view prefix) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Mutex mu_;
  std::map<std::string, int, std::less<>> last_ ABSL_GUARDED_BY(mu_);
  std::thread::id repeating_thread_ ABSL_GUARDED_BY(mu_);  // Empty while there is no Repetition.
  bool is_second_run_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Given> given_ ABSL_GUARDED_BY(mu_);  // The ids of the first run.
  size_t given_again_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hapax

#endif  // HAPAX_TESTING_COUNTED_IDS_H_
