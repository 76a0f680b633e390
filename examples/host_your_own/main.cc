// A payments service whose charges happen once. With TLS files it serves other machines, too.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/access/certificate_identity.h"
#include "hapax/server/server.h"
#include "payments.h"

namespace {

absl::Status Serve(hapax::ServerOptions options, const std::string& receipts) {
  const std::string host = options.listen_address.substr(0, options.listen_address.rfind(':'));
  HAPAX_ASSIGN_OR_RETURN(auto server, hapax::Server::Open(std::move(options)));
  // After the server: what is declared last is destroyed first.
  const auto driver = MakeReceiptDriver(receipts);
  const auto payments = MakePayments(server->ids(), server->work());
  server->work().AddDriver(kReceiptWork, payments->name(), *driver);
  HAPAX_RETURN_IF_ERROR(server->Start({payments.get()}));
  std::printf("payments: listening on %s:%d\n", host.c_str(), server->port());
  std::fflush(stdout);
  server->AwaitStopSignal();
  const absl::Status stopped = server->Stop(absl::Seconds(30));
  if (absl::IsDeadlineExceeded(stopped)) {
    // A handler or a driver still runs, so nothing that it uses may be destroyed.
    std::fprintf(stderr, "payments: %s\n", std::string(stopped.message()).c_str());
    _exit(1);
  }
  return stopped;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 7) {
    std::fprintf(stderr, "usage: payments LISTEN_ADDRESS DATA_DIR RECEIPTS_DIR [CERT_FILE KEY_FILE CLIENT_CA_FILE]\n");
    return 2;
  }
  hapax::ServerOptions options = {.listen_address = argv[1], .data_dir = argv[2]};
  if (argc == 7) {
    options.tls = {.cert_file = argv[4], .key_file = argv[5], .client_ca_file = argv[6]};
    options.authenticator = std::make_unique<hapax::CertificateAuthenticator>();
  }
  const absl::Status status = Serve(std::move(options), argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "payments: %s\n", std::string(status.message()).c_str());
  return 1;
}
