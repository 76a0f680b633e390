// A service that makes databases after the call has been answered. Usage: provision LISTEN_ADDRESS DATA_DIR DISK
#include <unistd.h>

#include <cstdio>
#include <string>

#include "hapax/base/status_macros.h"
#include "hapax/server/server.h"
#include "provisioner.h"

namespace {

absl::Status Serve(const std::string& listen_address, const std::string& data_dir, const std::string& disk) {
  HAPAX_ASSIGN_OR_RETURN(auto server, hapax::Server::Open({.listen_address = listen_address, .data_dir = data_dir}));
  const auto driver = MakeCreateDriver(disk, server->operations());
  const auto provisioner = MakeProvisioner(server->work(), server->operations());
  server->work().AddDriver(kCreateWork, provisioner->descriptor().full_name(), *driver);
  HAPAX_RETURN_IF_ERROR(server->Start({provisioner.get()}));
  std::printf("provision: listening on %s:%d\n", listen_address.substr(0, listen_address.rfind(':')).c_str(),
              server->port());
  std::fflush(stdout);
  server->AwaitStopSignal();
  const absl::Status stopped = server->Stop(absl::Seconds(30));
  if (absl::IsDeadlineExceeded(stopped)) {
    // A handler or a driver still runs, so nothing that it uses may be destroyed.
    std::fprintf(stderr, "provision: %s\n", std::string(stopped.message()).c_str());
    _exit(1);
  }
  return stopped;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: provision LISTEN_ADDRESS DATA_DIR DISK\n");
    return 2;
  }
  const absl::Status status = Serve(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "provision: %s\n", std::string(status.message()).c_str());
  return 1;
}
