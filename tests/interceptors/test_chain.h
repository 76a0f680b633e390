#ifndef HAPAX_TESTS_INTERCEPTORS_TEST_CHAIN_H_
#define HAPAX_TESTS_INTERCEPTORS_TEST_CHAIN_H_

#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/storage/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_service.h"
#include "hapax/tests/v1/orders.pb.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

inline constexpr char kDefaultRegion[] = "home";

// What a client is told.
struct Answer {
  std::string result;   // FakeCall::Result.
  std::string bytes;    // Of the reply; empty for an error.
  absl::Status status;  // OK for a reply.
};

// The answer to the call; waits for it.
[[nodiscard]] Answer AnswerTo(const FakeCall& call);

// All links in the order in which a server has them, over a store that the test brings.
//
// Lifetime: `store`, and the clock and the token time of the options, outlive it.
class TestChain {
 public:
  struct Options {
    int max_in_flight = 1'000;
    int worker_threads = 2;
    size_t max_waiting_work = 16;
    std::unique_ptr<Authenticator> authenticator = std::make_unique<TrustingAuthenticator>();
    TokenPolicy policy;
    ManualClock* clock = nullptr;                           // Null: one of the chain's own.
    const TokenTime* token_time = nullptr;                  // Null: one of the chain's own, not loaded.
    std::string seal_key_file = SealKeys::NewFile("test");  // The text of it.
  };
  explicit TestChain(Store& store) : TestChain(store, Options()) {}
  TestChain(Store& store, Options options);

  // Starts the call.
  void Run(FakeCall& call) const { chain_.Run(call); }
  // Takes the call to its end.
  [[nodiscard]] Answer Call(FakeCall& call) const;
  [[nodiscard]] Answer Call(const Method& method, const google::protobuf::Message& request) const;

  [[nodiscard]] ManualClock& clock() { return clock_; }
  [[nodiscard]] const TokenTime& token_time() const { return token_time_; }
  [[nodiscard]] const SealKeys& seal_keys() const { return seal_keys_; }
  [[nodiscard]] WorkerPool& workers() { return workers_; }
  // What was logged; while no call runs.
  [[nodiscard]] std::string log() const { return log_.str(); }

 private:
  [[nodiscard]] std::vector<std::unique_ptr<UnaryInterceptor>> MakeLinks(Store& store,
                                                                         std::unique_ptr<Authenticator> authenticator,
                                                                         const TokenPolicy& policy);

  ManualClock own_clock_;
  ManualClock& clock_;
  const TokenTime own_token_time_{clock_};
  const TokenTime& token_time_;
  const SealKeys seal_keys_;
  CallGate gate_;
  TenantGate tenant_gate_{TenantLimits{}, clock_};
  prometheus::Registry registry_;
  std::ostringstream log_;
  spdlog::logger logger_;
  WorkerPool workers_;
  const Chain chain_;
};

// The chain over a RocksDB store of its own, and a service to call through it.
class ChainTest : public testing::Test {
 protected:
  ChainTest();

  const TempDir dir_;
  const std::unique_ptr<Store> store_;
  TestService service_;
  TestChain chain_;
};

// An order with that client token; empty for none.
[[nodiscard]] tests::v1::PlaceOrderRequest OrderOf(const std::string& item, const std::string& token);

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_TEST_CHAIN_H_
