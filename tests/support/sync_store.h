#ifndef HAPAX_TESTS_SUPPORT_SYNC_STORE_H_
#define HAPAX_TESTS_SUPPORT_SYNC_STORE_H_

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "hapax/storage/service_table.h"
#include "hapax/storage/store.h"

// Transactions for tests that wait for their results.
namespace hapax {

// The status of a transaction, for tests that do something else before they ask for it.
//
//   TransactionOutcome outcome;
//   store.Execute(body, outcome.Done());
//   ...
//   EXPECT_THAT(outcome.Wait(), IsOk());
//
// A second call of its Done fails the test.
//
// Thread-safety: safe.
class TransactionOutcome {
 public:
  [[nodiscard]] Store::Done Done() const {
    return [state = state_](absl::Status status) {
      absl::MutexLock lock(&state->mu);
      EXPECT_FALSE(state->settled) << "done was called twice, now with " << status;
      state->settled = true;
      state->status = std::move(status);
    };
  }
  [[nodiscard]] bool settled() const {
    absl::MutexLock lock(&state_->mu);
    return state_->settled;
  }
  // Waits for Done, and returns its status.
  [[nodiscard]] absl::Status Wait() const {
    absl::MutexLock lock(&state_->mu);
    state_->mu.Await(absl::Condition(&state_->settled));
    return state_->status;
  }

 private:
  struct State {
    absl::Mutex mu;
    bool settled ABSL_GUARDED_BY(mu) = false;
    absl::Status status ABSL_GUARDED_BY(mu);
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// A body that blocks once it has started, until it is released; then it returns OK.
class BlockedBody {
 public:
  BlockedBody() = default;
  ~BlockedBody() { Release(); }
  BlockedBody(const BlockedBody&) = delete;
  BlockedBody& operator=(const BlockedBody&) = delete;

  [[nodiscard]] Store::Body Body() {
    return [state = state_](Transaction&) {
      if (!state->started.HasBeenNotified()) state->started.Notify();  // A body may run more than once.
      state->released.WaitForNotification();
      return absl::OkStatus();
    };
  }
  void WaitUntilStarted() { state_->started.WaitForNotification(); }
  void Release() {
    if (!std::exchange(released_, true)) state_->released.Notify();
  }

 private:
  struct State {
    absl::Notification started;
    absl::Notification released;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  bool released_ = false;
};

// Like Store::Execute, but waits for `done` and returns its status.
[[nodiscard]] inline absl::Status Execute(Store& store, Store::Body body) {
  TransactionOutcome outcome;
  store.Execute(std::move(body), outcome.Done());
  return outcome.Wait();
}

// Like Store::Query, but waits for `done` and returns its status.
[[nodiscard]] inline absl::Status Query(Store& store, Store::ReadBody body) {
  TransactionOutcome outcome;
  store.Query(std::move(body), outcome.Done());
  return outcome.Wait();
}

// Like Execute and Query, for a body that uses the table of a service (service_table.h).
[[nodiscard]] inline absl::Status ExecuteAs(std::string_view service, Store& store, Store::Body body) {
  return Execute(store, [prefix = ServiceTablePrefix(service), body = std::move(body)](Transaction& txn) mutable {
    ServiceTransaction own(txn, prefix);
    return body(own);
  });
}
[[nodiscard]] inline absl::Status QueryAs(std::string_view service, Store& store, Store::ReadBody body) {
  return Query(store, [prefix = ServiceTablePrefix(service), body = std::move(body)](
                          const ReadTransaction& txn) mutable { return body(ServiceReads(txn, prefix)); });
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_SYNC_STORE_H_
