#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/call.h"
#include "hapax/server/server.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/open_server.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// The end of a server, also of one with a handler that does not end.
namespace hapax {
namespace {

using absl::StatusCode;
using test::v1::DepositRequest;
using test::v1::DepositResponse;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kChange[] = "hapax.test.v1.Made/Change";
constexpr char kPath[] = "/hapax.test.v1.Made/Change";
constexpr char kKind[] = "test.work";
constexpr char kMadeService[] = "hapax.test.v1.Made";

// Code that stays where it is until the test lets it go on.
class Hang {
 public:
  ~Hang() { End(); }
  void Run() {
    if (!runs_.HasBeenNotified()) runs_.Notify();  // A body may be run more than once.
    ends_.WaitForNotification();
  }
  void AwaitRun() { runs_.WaitForNotification(); }
  void End() {
    if (!ends_.HasBeenNotified()) ends_.Notify();
  }

 private:
  absl::Notification runs_;
  absl::Notification ends_;
};

// How a call of Made/Change comes to hang, and what the end of the server waits for then.
struct HangingCase {
  std::string name;
  google::protobuf::MethodOptions options;
  std::string waits_for;
  std::function<void(HostedService&, Server&, Hang&)> host;
};

void PrintTo(const HangingCase& hanging, std::ostream* out) { *out << hanging.name; }

absl::Status Change(const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) {
  return absl::OkStatus();
}

std::vector<HangingCase> HangingCases() {
  const std::string named = std::string("handlers that run: ") + kChange;
  return {
      {"Mutation", RuleOptions(kRule), named,
       [](HostedService& made, Server&, Hang& hang) {
         made.Mutation<DepositRequest, DepositResponse>(
             "Change", [&](const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) {
               hang.Run();
               return absl::OkStatus();
             });
       }},
      {"Read", ReadOptions(), named,
       [](HostedService& made, Server&, Hang& hang) {
         made.Read<DepositRequest, DepositResponse>(
             "Change", [&](const CallContext&, const ReadTransaction&, const DepositRequest&, DepositResponse*) {
               hang.Run();
               return absl::OkStatus();
             });
       }},
      {"Preparation", RuleOptions(kRule), named,
       [](HostedService& made, Server&, Hang& hang) {
         made.PreparedMutation<DepositRequest, int, DepositResponse>(
             "Change",
             [&](const CallContext&, const DepositRequest&) -> absl::StatusOr<int> {
               hang.Run();
               return 1;
             },
             [](const CallContext&, Transaction&, const DepositRequest&, const int&, DepositResponse*) {
               return absl::OkStatus();
             });
       }},
      {"Canonicalizer", RuleOptions(kRule), named,
       [](HostedService& made, Server&, Hang& hang) {
         made.Mutation<DepositRequest, DepositResponse>("Change", Change, [&](DepositRequest*) { hang.Run(); });
       }},
      {"CommitHook", RuleOptions(kRule), "calls in flight have not ended; handlers that run: none",
       [](HostedService& made, Server&, Hang& hang) {
         made.Mutation<DepositRequest, DepositResponse>(
             "Change", [&](const CallContext&, Transaction& txn, const DepositRequest&, DepositResponse*) {
               txn.OnCommit([&] { hang.Run(); });
               return absl::OkStatus();
             });
       }},
      {"Work", RuleOptions(kRule), "calls in flight have not ended; handlers that run: none",
       [](HostedService& made, Server& server, Hang&) {
         made.Mutation<DepositRequest, DepositResponse>(
             "Change", [&](const CallContext&, Transaction& txn, const DepositRequest&, DepositResponse*) {
               return server.work().Schedule(txn, kKind, "a");
             });
       }},
  };
}

class ServerStopTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Server> Open() const {
    ServerOptions options = QuietOptions(dir_.Path("data"));
    options.stop_grace = absl::Milliseconds(200);
    return Server::Open(std::move(options)).value();
  }

  const TempDir dir_;
};

class HangingHandlerTest : public ServerStopTest, public testing::WithParamInterface<HangingCase> {};

TEST_P(HangingHandlerTest, StopNamesItAndReturnsAndAnotherStopWaitsForItsEnd) {
  Hang hang;
  const MadeService made(GetParam().options);
  HostedService hosted(made.descriptor());
  ScriptedDriver driver;
  driver.OnPerform([&](const std::string&) { hang.Run(); });
  const std::unique_ptr<Server> server = Open();
  server->work().AddDriver(kKind, kMadeService, driver);
  GetParam().host(hosted, *server, hang);
  ASSERT_THAT(server->Start({&hosted}), IsOk());
  const RawClient client(server->port());
  DepositRequest request;
  request.set_client_token("token");
  const std::unique_ptr<PendingCall> call = client.Start(kPath, request.SerializeAsString());
  hang.AwaitRun();
  EXPECT_THAT(server->Stop(absl::ZeroDuration()),
              StatusIs(StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("within 0 and stop_grace=200ms"), HasSubstr(GetParam().waits_for))));
  hang.End();
  EXPECT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Cases, HangingHandlerTest, testing::ValuesIn(HangingCases()),
                         [](const auto& hanging) { return hanging.param.name; });

TEST_F(ServerStopTest, ACompletionThatDoesNotEndIsTold) {
  Hang hang;
  ScriptedDriver driver;
  driver.DoAtOnce();
  driver.Fail("a", absl::InternalError("of the test"), /*times=*/1, [&] { hang.Run(); });
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  const std::unique_ptr<Server> server = Open();
  server->work().AddDriver(kKind, kMadeService, driver);
  ASSERT_THAT(server->Start({&hosted}), IsOk());
  ASSERT_THAT(Execute(server->store(), [&](Transaction& txn) { return server->work().Schedule(txn, kKind, "a"); }),
              IsOk());
  hang.AwaitRun();
  // What ends before the work does so by and by.
  absl::Status stopped = server->Stop(absl::ZeroDuration());
  while (!absl::StrContains(stopped.message(), "a Perform or Complete of a driver of work has not ended")) {
    ASSERT_THAT(stopped, StatusIs(StatusCode::kDeadlineExceeded));
    stopped = server->Stop(absl::ZeroDuration());
  }
  hang.End();
  EXPECT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
}

// What is asked for meanwhile is refused, and what runs is not cut off.
TEST_F(ServerStopTest, ACallThatEndsInTimeIsAnswered) {
  Hang hang;
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>(
      "Change", [&](const CallContext&, Transaction&, const DepositRequest&, DepositResponse* response) {
        hang.Run();
        response->set_balance(7);
        return absl::OkStatus();
      });
  const std::unique_ptr<Server> server = Open();
  ASSERT_THAT(server->Start({&hosted}), IsOk());
  const RawClient client(server->port());
  const std::unique_ptr<PendingCall> call = client.Start(kPath, "");
  hang.AwaitRun();
  std::thread stopping([&] { EXPECT_THAT(server->Stop(absl::InfiniteDuration()), IsOk()); });
  while (client.Call("/hapax.idempotency.v1.Tokens/GetPolicy", "").status.ok()) {
  }
  hang.End();
  DepositResponse response;
  EXPECT_TRUE(response.ParseFromString(call->Wait().bytes));
  EXPECT_EQ(response.balance(), 7);
  stopping.join();
}

TEST_F(ServerStopTest, AStoppedServerStopsOnceMoreAndHasNoPort) {
  const std::unique_ptr<Server> server = Open();
  EXPECT_EQ(server->port(), 0);
  ASSERT_THAT(server->Start({}), IsOk());
  EXPECT_NE(server->port(), 0);
  EXPECT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
  EXPECT_EQ(server->port(), 0);
  EXPECT_THAT(server->Stop(-absl::Seconds(1)), IsOk());
}

TEST_F(ServerStopTest, AnotherServerOpensTheDirectoryThen) {
  const std::unique_ptr<Server> server = Open();
  ASSERT_THAT(server->Start({}), IsOk());
  ASSERT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
  const std::unique_ptr<Server> next = Open();
  EXPECT_THAT(next->Start({}), IsOk());
}

}  // namespace
}  // namespace hapax
