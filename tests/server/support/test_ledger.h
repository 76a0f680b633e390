#ifndef HAPAX_TESTS_SERVER_SUPPORT_TEST_LEDGER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_TEST_LEDGER_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/server/grpc/service_host.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/store.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/temp_dir.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// The handlers of hapax.test.v1.Ledger, hosted. Balances are rows of table resources.
// Thread-safety: safe.
class LedgerService {
 public:
  LedgerService();

  // What mutations end with, from now on; OK: they do their work.
  void EndWith(absl::Status status);
  // How often a mutation did its work, committed or not.
  [[nodiscard]] int runs() const { return static_cast<int>(receipts_.load()); }

  // Compiled.
  [[nodiscard]] const HostedService& hosted() const { return hosted_; }

 private:
  absl::Status Deposit(Transaction& txn, const test::v1::DepositRequest& request, const std::string& memo,
                       test::v1::DepositResponse* response);

  std::atomic<int64_t> receipts_ = 0;
  absl::Mutex mu_;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
  HostedService hosted_;
};

// A server of that service on a free port, with the real chain and a real store.
//
// Thread-safety: for one thread.
class TestLedger {
 public:
  explicit TestLedger(std::unique_ptr<Authenticator> authenticator = std::make_unique<TrustingAuthenticator>());
  ~TestLedger();
  TestLedger(const TestLedger&) = delete;
  TestLedger& operator=(const TestLedger&) = delete;

  // Ends the server and starts another one, that trusts its callers, on the same data.
  void Restart();

  [[nodiscard]] int port() const { return host_->port(); }
  [[nodiscard]] LedgerService& service() { return service_; }
  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] CallGate& gate() { return gate_; }
  [[nodiscard]] ManualClock& clock() { return clock_; }

  // How many calls of the method the metrics say ended with this result.
  [[nodiscard]] double Counted(const std::string& method, const std::string& result) const;

 private:
  void Start(std::unique_ptr<Authenticator> authenticator);
  void End();

  const TempDir dir_;
  ManualClock clock_;
  const TokenExpiry expiry_{clock_};
  const TokenTime token_time_{clock_};
  LedgerService service_;
  const std::unique_ptr<spdlog::logger> logger_;
  prometheus::Registry registry_;
  CallGate gate_;
  TenantGate tenant_gate_{TenantLimits{}, clock_};
  const SealKeys seal_keys_ = SealKeys::Parse(SealKeys::NewFile("test")).value();
  std::unique_ptr<Store> store_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<const Chain> chain_;
  std::unique_ptr<ServiceHost> host_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_TEST_LEDGER_H_
