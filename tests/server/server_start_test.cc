#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/server.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// A start that fails, and what it leaves alone.
namespace hapax {
namespace {

using absl::StatusCode;
using test::v1::DepositRequest;
using test::v1::DepositResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kKind[] = "test.work";
constexpr char kMadeService[] = "hapax.test.v1.Made";

// A port of the loopback address that somebody else listens on.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { ::close(socket_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;

  [[nodiscard]] std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  const int socket_;
  int port_ = 0;
};

absl::Status Change(const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) {
  return absl::OkStatus();
}

class ServerStartTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Server> Open(const std::string& listen_address) const {
    auto server = Server::Open({.listen_address = listen_address, .data_dir = dir_.Path("data")});
    EXPECT_THAT(server, IsOk());
    return *std::move(server);
  }

  const TempDir dir_;
};

// One of them would be served, and nobody knows which.
TEST_F(ServerStartTest, TwoServicesOfOneNameAreRefused) {
  const MadeService made(IdempotentOptions());
  HostedService first(made.descriptor());
  HostedService second(made.descriptor());
  for (HostedService* service : {&first, &second}) {
    service->Mutation<DepositRequest, DepositResponse>("Change", Change);
  }
  const auto server = Open("127.0.0.1:0");
  EXPECT_THAT(server->Start({&first, &second}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("hapax.test.v1.Made: is hosted twice")));
}

TEST_F(ServerStartTest, AServiceThatIsNotThereIsRefusedByItsPosition) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(Open("127.0.0.1:0")->Start({&hosted, nullptr}),
              StatusIs(StatusCode::kInvalidArgument, "services[1]: is null; must be a service"));
}

TEST_F(ServerStartTest, AServiceThatIsGivenTwiceIsRefused) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(Open("127.0.0.1:0")->Start({&hosted, &hosted}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("services[1]: hapax.test.v1.Made is given twice")));
}

TEST_F(ServerStartTest, ANullHandlerIsRefused) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", nullptr);
  EXPECT_THAT(Open("127.0.0.1:0")->Start({&hosted}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("hapax.test.v1.Made/Change is null")));
}

TEST_F(ServerStartTest, AServerStartsOnce) {
  const auto server = Open("127.0.0.1:0");
  EXPECT_EQ(server->port(), 0);
  ASSERT_THAT(server->Start({}), IsOk());
  const int port = server->port();
  EXPECT_THAT(server->Start({}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("was called before")));
  EXPECT_EQ(server->port(), port);
}

TEST_F(ServerStartTest, OneThatFailedToStartIsNotStartedAgain) {
  const TakenPort taken;
  const auto server = Open(taken.address());
  ASSERT_THAT(server->Start({}), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(server->port(), 0);
  EXPECT_THAT(server->Start({}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("was called before")));
}

TEST_F(ServerStartTest, AStoppedServerDoesNotStart) {
  const auto server = Open("127.0.0.1:0");
  ASSERT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
  EXPECT_THAT(server->Start({}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("was stopped")));
}

TEST_F(ServerStartTest, C4_AnotherDefaultRegionIsRefusedUnlessItIsAccepted) {
  const MadeService made(RuleOptions(kRule));
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  const auto start = [&](const std::string& default_region, const std::vector<std::string>& accepted) {
    auto server = Server::Open({.listen_address = "127.0.0.1:0",
                                .data_dir = dir_.Path("data"),
                                .default_region = default_region,
                                .accept_rule_changes = accepted,
                                .log_level = spdlog::level::off});
    EXPECT_THAT(server, IsOk());
    return (*server)->Start({&hosted});
  };
  ASSERT_THAT(start("here", {}), IsOk());
  EXPECT_THAT(start("there", {}), StatusIs(StatusCode::kFailedPrecondition,
                                           HasSubstr("hapax.test.v1.Made/Change: default region was here, is there")));
  EXPECT_THAT(start("there", {"hapax.test.v1.Made/Change"}), IsOk());
  EXPECT_THAT(start("there", {}), IsOk());
}

TEST_F(ServerStartTest, ADriverForAServiceThatIsNotHostedIsRefused) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  ScriptedDriver driver;
  const auto server = Open("127.0.0.1:0");
  server->work().AddDriver(kKind, "hapax.test.v1.Mad", driver);
  EXPECT_THAT(server->Start({&hosted}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("service \"hapax.test.v1.Mad\", which is not hosted")));
}

// A program that cannot start ends its drivers, and only then the server: no work may have been given to them.
TEST_F(ServerStartTest, C14_AStartThatFailsLeavesOpenWorkToTheNextOne) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  {
    ScriptedDriver driver;
    const auto server = Open("127.0.0.1:0");
    server->work().AddDriver(kKind, kMadeService, driver);
    ASSERT_THAT(server->Start({&hosted}), IsOk());
    ASSERT_THAT(Execute(server->store(), [&](Transaction& txn) { return server->work().Schedule(txn, kKind, "a"); }),
                IsOk());
    EXPECT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
    static_cast<void>(driver.TakeHeld());
  }
  const TakenPort taken;
  {
    const auto server = Open(taken.address());
    ScriptedDriver driver;
    server->work().AddDriver(kKind, kMadeService, driver);
    EXPECT_THAT(server->Start({&hosted}), StatusIs(StatusCode::kUnavailable));
    EXPECT_THAT(driver.performed(), IsEmpty());
  }
  ScriptedDriver driver;
  const auto server = Open("127.0.0.1:0");
  server->work().AddDriver(kKind, kMadeService, driver);
  ASSERT_THAT(server->Start({&hosted}), IsOk());
  EXPECT_THAT(driver.performed(), ElementsAre("a"));
  driver.FinishAll();
  driver.AwaitCompleted(1);
  EXPECT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
}

}  // namespace
}  // namespace hapax
