#ifndef HAPAX_TESTS_FUZZ_MEMORY_STORE_H_
#define HAPAX_TESTS_FUZZ_MEMORY_STORE_H_

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/store.h"

namespace hapax {

// A store in memory whose whole state can be looked at, compared and put back. Each transaction works on a copy, and
// is done when Execute returns: with a few rows that takes microseconds, and no thread has a turn in it.
//
// Thread-safety: safe.
class MemoryStore final : public Store {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;
  using Tables = std::array<Rows, kTableCount>;

  using Store::Execute;
  void Execute(Body body, Done done, std::string_view party) override;
  void Query(ReadBody body, Done done) override;

  [[nodiscard]] Tables tables() const {
    absl::MutexLock lock(&mu_);
    return tables_;
  }
  void Restore(Tables tables) {
    absl::MutexLock lock(&mu_);
    tables_ = std::move(tables);
  }

 private:
  mutable absl::Mutex mu_;  // Held while a body runs.
  Tables tables_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_MEMORY_STORE_H_
