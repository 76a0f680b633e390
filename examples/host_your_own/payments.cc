#include "payments.h"

#include <string>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "payments/v1/payments.pb.h"

namespace {

using hapax::CallContext;
using hapax::Table;
using namespace payments::v1;

std::string AccountKey(const CallContext& context, const std::string& account) {
  return hapax::KeyBuilder().String("account").String(context.tenant).String(account).Build();
}

absl::StatusOr<Account> ReadAccount(const hapax::ReadTransaction& txn, const std::string& key) {
  HAPAX_ASSIGN_OR_RETURN(auto account, hapax::GetRow<Account>(txn, Table::kResources, key));
  return account.value_or(Account());
}

// Knows nothing of tokens and retries: it runs once for each effect, and what it changes goes through `txn`.
absl::Status Charge(const CallContext& context, hapax::Transaction& txn, const ChargeRequest& request,
                    ChargeResponse* response) {
  if (request.account().empty()) return hapax::RefuseParameter("account", "is required");
  if (request.cents() < 1) return hapax::RefuseParameter("cents", "must be at least 1");
  const std::string key = AccountKey(context, request.account());
  HAPAX_ASSIGN_OR_RETURN(Account account, ReadAccount(txn, key));
  account.set_charges(account.charges() + 1);
  account.set_total_cents(account.total_cents() + request.cents());
  hapax::PutRow(txn, Table::kResources, key, account);
  response->set_charge_number(account.charges());
  response->set_total_cents(account.total_cents());
  return absl::OkStatus();
}

absl::Status GetAccount(const CallContext& context, const hapax::ReadTransaction& txn, const GetAccountRequest& request,
                        GetAccountResponse* response) {
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_account(), ReadAccount(txn, AccountKey(context, request.account())));
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<hapax::HostedService> MakePayments() {
  auto payments =
      std::make_unique<hapax::HostedService>(*ChargeRequest::descriptor()->file()->FindServiceByName("Payments"));
  payments->Mutation<ChargeRequest, ChargeResponse>("Charge", Charge);
  payments->Read<GetAccountRequest, GetAccountResponse>("GetAccount", GetAccount);
  return payments;
}
