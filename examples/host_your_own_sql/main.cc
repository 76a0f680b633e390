// Payments whose effect is in SQL tables of the service's own. The rows and the token's record are one commit.
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "accounts/v1/accounts.pb.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/server.h"
#include "hapax/storage/sql_connection.h"

namespace {

using accounts::v1::PayRequest;
using accounts::v1::PayResponse;

constexpr char kDomain[] = "accounts.example.com";
constexpr hapax::OwnReason kNoAccount = {kDomain, "NO_SUCH_ACCOUNT", absl::StatusCode::kNotFound};
constexpr hapax::OwnReason kNoFunds = {kDomain, "INSUFFICIENT_FUNDS"};
constexpr char kForeignKeyViolation[] = "23503";
constexpr char kCheckViolation[] = "23514";

absl::Status Pay(const hapax::CallContext& context, hapax::SqlConnection& sql, const PayRequest& request,
                 PayResponse* response) {
  if (request.account().empty()) return hapax::RefuseParameter("account", "is required");
  if (request.cents() < 1) return hapax::RefuseParameter("cents", "must be at least 1");

  const auto payment = sql.Execute("INSERT INTO payments (tenant, account, cents) VALUES ($1, $2, $3) RETURNING id",
                                   {context.tenant, request.account(), int64_t{request.cents()}});
  if (hapax::SqlStateOf(payment.status()) == kForeignKeyViolation) {
    return hapax::Refuse(kNoAccount, "there is no such account");
  }
  HAPAX_RETURN_IF_ERROR(payment.status());
  const auto balance =
      sql.Execute("UPDATE accounts SET balance_cents = balance_cents - $2 WHERE id = $1 RETURNING balance_cents",
                  {request.account(), int64_t{request.cents()}});
  if (hapax::SqlStateOf(balance.status()) == kCheckViolation) {
    return hapax::Refuse(kNoFunds, "the account has less");
  }
  HAPAX_RETURN_IF_ERROR(balance.status());

  HAPAX_ASSIGN_OR_RETURN(const int64_t id, payment->Int64(0, "id"));
  HAPAX_ASSIGN_OR_RETURN(const int64_t balance_cents, balance->Int64(0, "balance_cents"));
  response->set_payment_id(id);
  response->set_balance_cents(balance_cents);
  return absl::OkStatus();
}

absl::Status Serve(hapax::ServerOptions options) {
  HAPAX_ASSIGN_OR_RETURN(const auto server, hapax::Server::Open(std::move(options)));
  hapax::HostedService accounts(*PayRequest::descriptor()->file()->FindServiceByName("Accounts"));
  accounts.SqlMutation<PayRequest, PayResponse>("Pay", Pay);
  HAPAX_RETURN_IF_ERROR(server->Start({&accounts}));
  std::printf("accounts: listening on 127.0.0.1:%d\n", server->port());
  std::fflush(stdout);
  server->AwaitStopSignal();
  return server->Stop(absl::InfiniteDuration());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: accounts LISTEN_ADDRESS CONNINFO_FILE SEAL_KEY_FILE SERVER_ID\n");
    return 2;
  }
  hapax::ServerOptions options = {.listen_address = argv[1], .store = "postgres", .server_id = argv[4]};
  options.postgres.conninfo_file = argv[2];
  options.seal_key_file = argv[3];
  const absl::Status status = Serve(std::move(options));
  if (status.ok()) return 0;
  std::fprintf(stderr, "accounts: %s\n", std::string(status.message()).c_str());
  return 1;
}
