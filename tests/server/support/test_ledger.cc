#include "hapax/tests/server/support/test_ledger.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/chain.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/server/support/null_logger.h"

namespace hapax {
namespace {

using test::v1::DepositRequest;
using test::v1::DepositResponse;
using test::v1::GetBalanceRequest;
using test::v1::GetBalanceResponse;

constexpr int kMaxInFlight = 1'000;

absl::StatusOr<int64_t> BalanceOf(const ReadTransaction& txn, const std::string& account) {
  HAPAX_ASSIGN_OR_RETURN(const auto row, txn.Get(Table::kResources, account));
  int64_t balance = 0;
  if (row.has_value() && !absl::SimpleAtoi(*row, &balance)) return absl::DataLossError("a balance is damaged");
  return balance;
}

}  // namespace

LedgerService::LedgerService() : hosted_(*DepositRequest::descriptor()->file()->FindServiceByName("Ledger")) {
  hosted_.Mutation<DepositRequest, DepositResponse>(
      "Deposit", [this](const CallContext&, Transaction& txn, const DepositRequest& request,
                        DepositResponse* response) { return Deposit(txn, request, request.memo(), response); });
  hosted_.PreparedMutation<DepositRequest, std::string, DepositResponse>(
      "Seal",
      [](const CallContext&, const DepositRequest& request) -> absl::StatusOr<std::string> {
        return "sealed " + request.memo();
      },
      [this](const CallContext&, Transaction& txn, const DepositRequest& request, const std::string& sealed,
             DepositResponse* response) { return Deposit(txn, request, sealed, response); });
  hosted_.Read<GetBalanceRequest, GetBalanceResponse>(
      "GetBalance",
      [](const CallContext&, const ReadTransaction& txn, const GetBalanceRequest& request,
         GetBalanceResponse* response) -> absl::Status {
        HAPAX_ASSIGN_OR_RETURN(const int64_t balance, BalanceOf(txn, request.account()));
        response->set_balance(balance);
        return absl::OkStatus();
      });
  const absl::Status compiled = hosted_.Compile();
  HAPAX_CHECK(compiled.ok(), compiled.ToString().c_str());
}

void LedgerService::EndWith(absl::Status status) {
  absl::MutexLock lock(&mu_);
  end_ = std::move(status);
}

absl::Status LedgerService::Deposit(Transaction& txn, const DepositRequest& request, const std::string& memo,
                                    DepositResponse* response) {
  const int64_t receipt = ++receipts_;
  HAPAX_ASSIGN_OR_RETURN(int64_t balance, BalanceOf(txn, request.account()));
  balance += request.amount();
  txn.Put(Table::kResources, request.account(), absl::StrCat(balance));
  if (!request.quiet()) {
    response->set_balance(balance);
    response->set_receipt(receipt);
    response->set_memo(memo);
  }
  absl::MutexLock lock(&mu_);
  return end_;
}

TestLedger::TestLedger(std::unique_ptr<Authenticator> authenticator) : logger_(NullLogger()), gate_(kMaxInFlight) {
  Start(std::move(authenticator));
}

TestLedger::~TestLedger() { End(); }

void TestLedger::Restart() {
  End();
  Start(std::make_unique<TrustingAuthenticator>());
}

void TestLedger::Start(std::unique_ptr<Authenticator> authenticator) {
  auto store = OpenRocksDbStore({.path = dir_.Path("data"), .expiry = &expiry_});
  HAPAX_CHECK(store.ok(), store.status().ToString().c_str());
  store_ = *std::move(store);
  workers_ = std::make_unique<WorkerPool>(/*threads=*/1, /*max_waiting=*/100);
  const ChainParts parts{.store = *store_,
                         .workers = *workers_,
                         .readers = *workers_,
                         .gate = gate_,
                         .tenant_gate = tenant_gate_,
                         .seal_keys = seal_keys_,
                         .clock = clock_,
                         .token_time = token_time_,
                         .registry = registry_,
                         .call_log = *logger_};
  chain_.reset(new Chain(BuildChain({.default_region = "here"}, parts, std::move(authenticator))));
  auto host = ServiceHost::Start({.listen_address = "127.0.0.1:0"}, {&service_.hosted()}, *chain_);
  HAPAX_CHECK(host.ok(), host.status().ToString().c_str());
  host_ = *std::move(host);
}

void TestLedger::End() {
  host_->Drain(absl::InfiniteDuration());
  workers_.reset();
  store_.reset();
  host_.reset();
  chain_.reset();
}

double TestLedger::Counted(const std::string& method, const std::string& result) const {
  double count = 0;
  for (const prometheus::MetricFamily& family : registry_.Collect()) {
    if (family.name != "hapax_calls_total") continue;
    for (const prometheus::ClientMetric& metric : family.metric) {
      int matching = 0;
      for (const auto& label : metric.label) {
        matching += (label.name == "method" && label.value == "hapax.test.v1.Ledger/" + method) ||
                    (label.name == "result" && label.value == result);
      }
      if (matching == 2) count += metric.counter.value;
    }
  }
  return count;
}

}  // namespace hapax
