#ifndef HAPAX_TESTS_SERVER_SUPPORT_COUNTING_STORE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_COUNTING_STORE_H_

#include <atomic>
#include <string_view>
#include <utility>

#include "hapax/storage/store.h"

namespace hapax {

// Passes everything on to another store, and counts the transactions that may write.
//
// Thread-safety: safe. Lifetime: the other store outlives it.
class CountingStore final : public Store {
 public:
  explicit CountingStore(Store& store) : store_(store) {}

  void Execute(Body body, Done done, std::string_view party) override {
    ++executed_;
    store_.Execute(std::move(body), std::move(done), party);
  }
  void Query(ReadBody body, Done done) override { store_.Query(std::move(body), std::move(done)); }

  [[nodiscard]] int executed() const { return executed_; }

 private:
  Store& store_;
  std::atomic<int> executed_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_COUNTING_STORE_H_
