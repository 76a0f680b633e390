#ifndef HAPAX_TESTS_SUPPORT_TEST_SERVICE_H_
#define HAPAX_TESTS_SUPPORT_TEST_SERVICE_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/interceptors/method.h"
#include "hapax/storage/store.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {

// The handlers of hapax.tests.v1.Orders, for a chain without a server.
//
// Each run of a mutating handler takes the next order number, puts a row with it, and replies with it. So the rows are
// the effects, and equal replies come from the same run.
//
// Thread-safety: safe, except for setting the hooks, which comes before the calls.
// Lifetime: outlives its calls.
class TestService {
 public:
  TestService();
  TestService(const TestService&) = delete;
  TestService& operator=(const TestService&) = delete;

  [[nodiscard]] const Method& place_order() const { return place_order_; }
  [[nodiscard]] const Method& engrave_order() const { return engrave_order_; }  // Has a preparation.
  [[nodiscard]] const Method& seal_order() const { return seal_order_; }  // Like engrave_order, with a secret reply.
  [[nodiscard]] const Method& hasten_order() const { return hasten_order_; }  // Its reply is kept for an hour.
  [[nodiscard]] const Method& count_orders() const { return count_orders_; }  // Reads.

  // Runs in each run of a mutating handler, once its row is put. The handler returns its result.
  std::function<absl::Status(const CallContext&, Transaction&)> handler_hook;
  // Runs in each preparation, which fails with its error.
  std::function<absl::Status(const CallContext&)> prepare_hook;

  // The number of runs of mutating handlers so far, whatever their results.
  [[nodiscard]] int runs() const { return runs_; }
  // The threads that have run preparations so far.
  [[nodiscard]] std::vector<std::thread::id> prepare_threads() const;

 private:
  void HandlePlacing(Method& method);
  void HandleEngraving(Method& method);
  absl::Status Place(const CallContext& context, Transaction& txn, const tests::v1::PlaceOrderRequest& request,
                     const std::string& engraving, tests::v1::PlaceOrderResponse* reply);
  absl::StatusOr<std::any> Prepare(const CallContext& context, const tests::v1::PlaceOrderRequest& request);

  Method place_order_;
  Method engrave_order_;
  Method seal_order_;
  Method hasten_order_;
  Method count_orders_;
  std::atomic<int> runs_ = 0;
  mutable absl::Mutex mu_;
  std::vector<std::thread::id> prepare_threads_ ABSL_GUARDED_BY(mu_);
};

// The orders durably in the store, as "number item", in order of their numbers.
[[nodiscard]] std::vector<std::string> DurableOrders(Store& store);

// The number of durable rows of `table`.
[[nodiscard]] int DurableRowCount(Store& store, Table table);

// The reply's bytes as a message.
[[nodiscard]] tests::v1::PlaceOrderResponse Order(const std::string& reply);

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_TEST_SERVICE_H_
