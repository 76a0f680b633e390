#ifndef HAPAX_TESTS_SUPPORT_WATCHED_STORE_H_
#define HAPAX_TESTS_SUPPORT_WATCHED_STORE_H_

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hapax/storage/store.h"

namespace hapax {

// Passes transactions on to another store, and notes how many rows the largest one scanned. `before` is called on the
// caller's thread with the number of each write transaction, from 1 on, before it begins.
//
// Lifetime: `base` outlives it. Thread-safety: safe.
class WatchedStore final : public Store {
 public:
  explicit WatchedStore(Store& base, std::function<void(int)> before = nullptr)
      : base_(base), before_(std::move(before)) {}

  using Store::Execute;
  void Execute(Body body, Done done, std::string_view party) override {
    const int number = ++executed_;
    if (before_ != nullptr) before_(number);
    base_.Execute(
        [this, body = std::move(body)](Transaction& txn) mutable {
          Watched<Transaction> watched(txn, *this);
          return body(watched);
        },
        std::move(done), party);
  }
  void Query(ReadBody body, Done done) override {
    base_.Query([this, body = std::move(body)](
                    const ReadTransaction& txn) mutable { return body(WatchedReads<ReadTransaction>(txn, *this)); },
                std::move(done));
  }

  [[nodiscard]] int executed() const { return executed_; }
  [[nodiscard]] int most_rows() const { return most_rows_; }

 private:
  template <typename Base>
  class WatchedReads : public Base {
   public:
    WatchedReads(const ReadTransaction& txn, WatchedStore& store) : txn_(txn), store_(store) {}

    [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
      return txn_.Get(table, key);
    }
    [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, ReadTransaction::Visitor visit) const override {
      return txn_.Scan(table, range, [&](std::string_view key, std::string_view value) {
        store_.Note(++rows_);
        return visit(key, value);
      });
    }

   private:
    const ReadTransaction& txn_;
    WatchedStore& store_;
    mutable int rows_ = 0;
  };
  template <typename Base>
  class Watched final : public WatchedReads<Base> {
   public:
    Watched(Transaction& txn, WatchedStore& store) : WatchedReads<Base>(txn, store), txn_(txn) {}

    void Put(Table table, std::string key, std::string value) override {
      txn_.Put(table, std::move(key), std::move(value));
    }
    void Delete(Table table, std::string key) override { txn_.Delete(table, std::move(key)); }
    void OnCommit(absl::AnyInvocable<void()> hook) override { txn_.OnCommit(std::move(hook)); }

   private:
    Transaction& txn_;
  };

  void Note(int rows) {
    int most = most_rows_;
    while (rows > most && !most_rows_.compare_exchange_weak(most, rows)) {
    }
  }

  Store& base_;
  const std::function<void(int)> before_;
  std::atomic<int> executed_ = 0;
  std::atomic<int> most_rows_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_WATCHED_STORE_H_
