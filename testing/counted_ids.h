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

// Id number `number` of the prefix: `i-00000000000000001`.
[[nodiscard]] std::string CountedId(std::string_view prefix, int number);

// Counts the ids of each prefix, from 1. So a test knows them beforehand. Thread-safety: safe.
class CountedIds final : public IdSource {
 public:
  [[nodiscard]] std::string NewId(std::string_view prefix) override;
  // Begins again.
  void Reset();

  // Two runs of a body on one thread (repeat.h): in the second it gets the ids of the first again, as long as it asks
  // for the same prefixes. One at a time; for the thread that makes it.
  class Repetition {
   public:
    explicit Repetition(CountedIds& ids);
    ~Repetition();
    Repetition(const Repetition&) = delete;
    Repetition& operator=(const Repetition&) = delete;

    // The first run is over.
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
  std::thread::id repeating_thread_ ABSL_GUARDED_BY(mu_);  // None: nobody repeats.
  bool is_second_run_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Given> given_ ABSL_GUARDED_BY(mu_);  // In the first run.
  size_t given_again_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hapax

#endif  // HAPAX_TESTING_COUNTED_IDS_H_
