#include "hapax/tests/server/server_children.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/server.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/open_server.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax {
namespace {

using test::v1::DepositRequest;
using test::v1::DepositResponse;

// A global, which is constructed before anything that the libraries construct, and destroyed after it.
std::unique_ptr<Server> global_server;

absl::Status PutRowOfScenario(Transaction& txn) {
  txn.Put(Table::kResources, "row of the scenario", "there");
  return absl::OkStatus();
}

// Returns with a global server that was opened, or started, and wrote a row.
int LeaveGlobal(const std::string& data_dir, bool started) {
  global_server = Server::Open(QuietOptions(data_dir)).value();
  if (started && !global_server->Start({}).ok()) return 1;
  return Execute(global_server->store(), PutRowOfScenario).ok() ? 0 : 1;
}

// Exits on a thread, while the main one awaits a signal.
int ExitElsewhere(const std::string& data_dir) {
  global_server = StartedServer(QuietOptions(data_dir));
  if (!Execute(global_server->store(), PutRowOfScenario).ok()) return 1;
  std::thread exiting([] { std::exit(0); });
  global_server->AwaitStopSignal();
  exiting.join();  // For ever: the process ends.
  return 1;
}

// Ends by _exit, though a handler never ends, and its server was stopped or not, and destroyed.
[[noreturn]] void AbandonHandler(const std::string& data_dir, bool stops) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  absl::Notification runs;
  hosted.Mutation<DepositRequest, DepositResponse>(
      "Change", [&](const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) {
        runs.Notify();
        absl::Notification().WaitForNotification();
        return absl::OkStatus();
      });
  ServerOptions options = QuietOptions(data_dir);
  options.stop_grace = absl::Milliseconds(10);
  std::unique_ptr<Server> server = StartedServer(std::move(options), {&hosted});
  if (!Execute(server->store(), PutRowOfScenario).ok()) _exit(1);
  const RawClient client(server->port());
  const std::unique_ptr<PendingCall> call = client.Start("/hapax.test.v1.Made/Change", "");
  runs.WaitForNotification();
  if (stops && !absl::IsDeadlineExceeded(server->Stop(absl::ZeroDuration()))) _exit(2);
  server.reset();
  _exit(0);
}

}  // namespace

int RunScenario(const std::string& name, const std::string& data_dir) {
  if (name == "open_global") return LeaveGlobal(data_dir, /*started=*/false);
  if (name == "started_global") return LeaveGlobal(data_dir, /*started=*/true);
  if (name == "exit_elsewhere") return ExitElsewhere(data_dir);
  if (name == "abandoned_by_stop") AbandonHandler(data_dir, /*stops=*/true);
  if (name == "abandoned_by_destructor") AbandonHandler(data_dir, /*stops=*/false);
  std::fprintf(stderr, "no scenario %s\n", name.c_str());
  return 1;
}

}  // namespace hapax

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--scenario") return hapax::RunScenario(argv[2], argv[3]);
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
