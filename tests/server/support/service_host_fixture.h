#ifndef HAPAX_TESTS_SERVER_SUPPORT_SERVICE_HOST_FIXTURE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_SERVICE_HOST_FIXTURE_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/limits/reception.h"
#include "hapax/server/grpc/service_host.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/test_ledger.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {

// Keeps every call until the test ends it.
class Holding final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next /*next*/) override {
    absl::MutexLock lock(&mu_);
    held_.push_back(&call);
  }
  // The next call that arrives; waits for it.
  UnaryCall& Take() {
    absl::MutexLock lock(&mu_);
    const auto some = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !held_.empty(); };
    mu_.Await(absl::Condition(&some));
    UnaryCall& call = *held_.back();
    held_.pop_back();
    return call;
  }

 private:
  absl::Mutex mu_;
  std::vector<UnaryCall*> held_ ABSL_GUARDED_BY(mu_);
};

// A host of hapax.test.v1.Ledger, whose calls the test answers.
class ServiceHostTest : public testing::Test {
 protected:
  static constexpr char kDeposit[] = "/hapax.test.v1.Ledger/Deposit";

  // With `reads_requests` false the test has calls before their requests were asked for.
  explicit ServiceHostTest(const ConnectionLimits& limits = {}, bool reads_requests = true,
                           absl::Span<const TranslatedMethod> translated_methods = {})
      : chain_(MakeChain(reads_requests)) {
    auto host = ServiceHost::Start({.listen_address = "127.0.0.1:0",
                                    .event_threads = 1,
                                    .limits = limits,
                                    .translated_methods = translated_methods},
                                   {&service_.hosted()}, chain_);
    EXPECT_THAT(host, IsOk());
    host_ = *std::move(host);
  }

  Chain MakeChain(bool reads_requests) {
    auto holding = std::make_unique<Holding>();
    holding_ = holding.get();
    std::vector<std::unique_ptr<UnaryInterceptor>> links;
    if (reads_requests) links.push_back(std::make_unique<Reception>(MessageBudget::Options{.bytes = int64_t{1} << 40}));
    links.push_back(std::move(holding));
    return Chain(std::move(links));
  }
  [[nodiscard]] RawClient Client() const { return RawClient(host_->port()); }

  LedgerService service_;
  Holding* holding_ = nullptr;  // In the chain.
  const Chain chain_;
  std::unique_ptr<ServiceHost> host_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_SERVICE_HOST_FIXTURE_H_
