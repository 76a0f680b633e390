// A payments service whose charges happen once. Usage: payments LISTEN_ADDRESS DATA_DIR
#include <cstdio>
#include <string>

#include "hapax/base/status_macros.h"
#include "hapax/server/server.h"
#include "payments.h"

namespace {

absl::Status Serve(const std::string& listen_address, const std::string& data_dir) {
  HAPAX_ASSIGN_OR_RETURN(auto server, hapax::Server::Open({.listen_address = listen_address, .data_dir = data_dir}));
  const auto payments = MakePayments();
  HAPAX_RETURN_IF_ERROR(server->Start({payments.get()}));
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
