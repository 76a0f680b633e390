#ifndef HAPAX_TESTS_TESTING_TEST_LEDGER_SERVICE_H_
#define HAPAX_TESTS_TESTING_TEST_LEDGER_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/test/v1/ledger.pb.h"

namespace hapax {

using test::v1::DepositRequest;
using test::v1::DepositResponse;
using test::v1::GetBalanceRequest;
using test::v1::GetBalanceResponse;

// hapax.test.v1.Ledger as an embedder writes it, with handlers that are repeatable.
//
// Thread-safety: safe, but for the setting of the hook, which comes before the calls.
class TestLedgerService {
 public:
  TestLedgerService() : hosted_(*DepositRequest::descriptor()->file()->FindServiceByName("Ledger")) {
    hosted_.Mutation<DepositRequest, DepositResponse>(
        "Deposit", [this](const CallContext& context, Transaction& txn, const DepositRequest& request,
                          DepositResponse* response) { return Deposit(context, txn, request, response); });
    hosted_.PreparedMutation<DepositRequest, int, DepositResponse>(
        "Seal", [this](const CallContext&, const DepositRequest&) -> absl::StatusOr<int> { return ++preparations_; },
        [](const CallContext&, Transaction&, const DepositRequest&, const int& prepared, DepositResponse* response) {
          response->set_receipt(prepared);
          return absl::OkStatus();
        });
    hosted_.Read<GetBalanceRequest, GetBalanceResponse>(
        "GetBalance",
        [](const CallContext&, const ReadTransaction& txn, const GetBalanceRequest& request,
           GetBalanceResponse* response) -> absl::Status {
          HAPAX_ASSIGN_OR_RETURN(const int64_t balance, BalanceOf(txn, request.account()));
          response->set_balance(balance);
          return absl::OkStatus();
        });
  }

  [[nodiscard]] HostedService& hosted() { return hosted_; }
  // How often Deposit's handler was run, and Seal's was prepared.
  [[nodiscard]] int runs() const { return runs_; }
  [[nodiscard]] int preparations() const { return preparations_; }

  // Called at the end of each run of Deposit: what it returns, the handler returns.
  std::function<absl::Status(const CallContext&, Transaction&, DepositResponse*)> hook;

 private:
  static absl::StatusOr<int64_t> BalanceOf(const ReadTransaction& txn, const std::string& account) {
    HAPAX_ASSIGN_OR_RETURN(const auto row, txn.Get(Table::kResources, account));
    int64_t balance = 0;
    if (row.has_value() && !absl::SimpleAtoi(*row, &balance)) return absl::DataLossError("a balance is damaged");
    return balance;
  }

  absl::Status Deposit(const CallContext& context, Transaction& txn, const DepositRequest& request,
                       DepositResponse* response) {
    ++runs_;
    if (request.amount() < 0) return RefuseParameter("amount", "must not be negative");
    HAPAX_ASSIGN_OR_RETURN(const int64_t balance, BalanceOf(txn, request.account()));
    txn.Put(Table::kResources, request.account(), absl::StrCat(balance + request.amount()));
    response->set_balance(balance + request.amount());
    response->set_memo(request.memo());
    return hook == nullptr ? absl::OkStatus() : hook(context, txn, response);
  }

  std::atomic<int> runs_ = 0;
  std::atomic<int> preparations_ = 0;
  HostedService hosted_;
};

// A request to put `amount` on account `anna`.
[[nodiscard]] inline DepositRequest DepositOf(int64_t amount) {
  DepositRequest request;
  request.set_account("anna");
  request.set_amount(amount);
  return request;
}

}  // namespace hapax

#endif  // HAPAX_TESTS_TESTING_TEST_LEDGER_SERVICE_H_
