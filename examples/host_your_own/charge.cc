// Charges an account, once for each token. Usage: charge ENDPOINT ACCOUNT CENTS TOKEN
#include <cstdio>
#include <cstdlib>
#include <string>

#include "hapax/client/call/caller.h"
#include "payments/v1/payments.pb.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: charge ENDPOINT ACCOUNT CENTS TOKEN\n");
    return 2;
  }
  auto connection = hapax::client::Connect({.endpoint = argv[1]});
  if (!connection.ok()) {
    std::fprintf(stderr, "charge: %s\n", std::string(connection.status().message()).c_str());
    return 1;
  }
  hapax::client::Caller caller(*connection);
  payments::v1::ChargeRequest request;
  request.set_account(argv[2]);
  request.set_cents(std::atoi(argv[3]));
  request.set_client_token(argv[4]);
  const auto* method = request.GetDescriptor()->file()->FindServiceByName("Payments")->FindMethodByName("Charge");
  const auto charged = caller.Call<payments::v1::ChargeResponse>(*method, request);
  if (!charged.reply.ok()) {
    std::fprintf(stderr, "charge: %s\n", charged.reply.status().ToString().c_str());
    return 1;
  }
  std::printf("%s: %s\n", charged.reply->charge_id().c_str(), OutcomeName(charged.info.outcome).c_str());
  return 0;
}
