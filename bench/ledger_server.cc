// bench.v1.Ledger on hapax::Server, with the store's flags of hapaxd, and everything else as by default there.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "hapax/base/status_macros.h"
#include "hapax/bench/ledger.h"
#include "hapax/server/options/store_flags.h"
#include "hapax/server/server.h"

ABSL_FLAG(std::string, listen_address, "127.0.0.1:0", "HOST:PORT to serve on; port 0 takes a free one");
ABSL_FLAG(std::string, seal_key_file, "", "As of hapaxd");

namespace hapax::bench {
namespace {

absl::Status Serve() {
  StoreFlags store = ReadStoreFlags();
  ServerOptions options{.listen_address = absl::GetFlag(FLAGS_listen_address), .store = std::move(store.store)};
  options.data_dir = std::move(store.data_dir);
  options.etcd = std::move(store.etcd);
  options.postgres = std::move(store.postgres);
  options.server_id = std::move(store.server_id);
  options.work_lease = store.work_lease;
  options.max_clock_skew = store.max_clock_skew;
  options.block_cache_bytes = store.block_cache_bytes;
  options.seal_key_file = absl::GetFlag(FLAGS_seal_key_file);
  HAPAX_ASSIGN_OR_RETURN(const auto server, Server::Open(std::move(options)));
  const auto ledger = MakeLedger(server->ids());
  HAPAX_RETURN_IF_ERROR(server->Start({ledger.get()}));
  std::printf("bench_ledger: listening on 127.0.0.1:%d\n", server->port());
  std::fflush(stdout);
  server->AwaitStopSignal();
  absl::Status stopped = server->Stop(absl::Seconds(30));
  if (absl::IsDeadlineExceeded(stopped)) {
    // What still runs may use what the end of main destroys.
    std::fprintf(stderr, "bench_ledger: %s\n", std::string(stopped.message()).c_str());
    _exit(1);
  }
  return stopped;
}

}  // namespace
}  // namespace hapax::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = hapax::bench::Serve();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_ledger: %s\n", std::string(status.message()).c_str());
  return 1;
}
