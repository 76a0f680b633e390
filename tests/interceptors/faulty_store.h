#ifndef HAPAX_TESTS_INTERCEPTORS_FAULTY_STORE_H_
#define HAPAX_TESTS_INTERCEPTORS_FAULTY_STORE_H_

#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "hapax/storage/store.h"

namespace hapax {

// A store that fails, or runs bodies twice, as any store may (store.h), before one that does neither.
//
// Thread-safety: safe, but for the setting of faults, which comes before the calls.
// Lifetime: `store` outlives it.
class FaultyStore final : public Store {
 public:
  explicit FaultyStore(Store& store) : store_(store) {}
  ~FaultyStore() override {
    if (between_thread_.joinable()) between_thread_.join();
  }

  // Execute and Query end with this status, and run no body. OK: they work again.
  void FailExecutions(absl::Status status) { execution_fault_ = std::move(status); }
  void FailQueries(absl::Status status) { query_fault_ = std::move(status); }

  // Transactions are committed, and yet end with this status. OK: they tell the truth again.
  void FailAfterCommit(absl::Status status) { acknowledgement_fault_ = std::move(status); }

  // Each body is run once in vain, and then again. `between`, at most once, is what happens meanwhile; it
  // has a thread of its own, so it may wait for the store.
  void RunBodiesTwice(std::function<void()> between = nullptr) {
    twice_ = true;
    between_ = std::move(between);
  }

  using Store::Execute;
  void Execute(Body body, Done done, std::string_view party) override {
    if (!execution_fault_.ok()) return std::move(done)(execution_fault_);
    if (twice_) return ExecuteTwice(std::move(body), std::move(done));
    store_.Execute(
        std::move(body),
        [this, done = std::move(done)](absl::Status status) mutable {
          if (status.ok()) status = acknowledgement_fault_;
          std::move(done)(std::move(status));
        },
        party);
  }

  void Query(ReadBody body, Done done) override {
    if (!query_fault_.ok()) return std::move(done)(query_fault_);
    store_.Query(
        [this, body = std::move(body)](const ReadTransaction& txn) mutable {
          if (twice_) body(txn).IgnoreError();
          return body(txn);
        },
        std::move(done));
  }

 private:
  void ExecuteTwice(Body body, Done done) {
    auto shared = std::make_shared<Body>(std::move(body));
    const auto run_in_vain = [shared](Transaction& txn) {
      (*shared)(txn).IgnoreError();
      return absl::AbortedError("once more");
    };
    store_.Execute(run_in_vain, [this, shared, done = std::move(done)](const absl::Status&) mutable {
      auto again = [this, shared, done = std::move(done)]() mutable {
        store_.Execute([shared](Transaction& txn) { return (*shared)(txn); }, std::move(done));
      };
      if (between_ == nullptr) return again();
      between_thread_ = std::thread([between = std::exchange(between_, nullptr), again = std::move(again)]() mutable {
        between();
        again();
      });
    });
  }

  Store& store_;
  absl::Status execution_fault_;
  absl::Status query_fault_;
  absl::Status acknowledgement_fault_;
  bool twice_ = false;
  std::function<void()> between_;
  std::thread between_thread_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_FAULTY_STORE_H_
