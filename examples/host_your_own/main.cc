// A payments service whose charges happen once. Usage: payments LISTEN_ADDRESS DATA_DIR
#include <cstdio>
#include <string>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/server.h"
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

absl::Status Serve(const std::string& listen_address, const std::string& data_dir) {
  HAPAX_ASSIGN_OR_RETURN(auto server, hapax::Server::Open({.listen_address = listen_address, .data_dir = data_dir}));
  hapax::HostedService payments(*ChargeRequest::descriptor()->file()->FindServiceByName("Payments"));
  payments.Mutation<ChargeRequest, ChargeResponse>("Charge", Charge);
  payments.Read<GetAccountRequest, GetAccountResponse>("GetAccount", GetAccount);
  HAPAX_RETURN_IF_ERROR(server->Start({&payments}));
  std::printf("payments: listening on %s:%d\n", listen_address.substr(0, listen_address.rfind(':')).c_str(),
              server->port());
  std::fflush(stdout);
  server->AwaitStopSignal();
  return server->Stop(absl::Seconds(30));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: payments LISTEN_ADDRESS DATA_DIR\n");
    return 2;
  }
  const absl::Status status = Serve(argv[1], argv[2]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "payments: %s\n", std::string(status.message()).c_str());
  return 1;
}
