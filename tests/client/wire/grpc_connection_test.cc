#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/call/error.h"
#include "hapax/client/wire/connection.h"
#include "hapax/tests/client/wire/echo_server.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::client {
namespace {

using ::absl::Seconds;
using ::absl::StatusCode;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// An attempt under way.
class Pending {
 public:
  Pending(Connection& connection, const std::string& method, const std::string& request = "",
          absl::Duration timeout = Seconds(60), Metadata metadata = {})
      : cancel_(connection.Start({.method = "t.T/" + method,
                                  .request = request,
                                  .metadata = std::move(metadata),
                                  .deadline = absl::Now() + timeout},
                                 [shared = shared_](AttemptEnd end) {
                                   shared->end = std::move(end);
                                   shared->ended.Notify();
                                 })) {}
  void Cancel() { cancel_(); }
  AttemptEnd Wait() {
    shared_->ended.WaitForNotification();
    return shared_->end;
  }

 private:
  struct Shared {
    AttemptEnd end;
    absl::Notification ended;
  };
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  Connection::Cancel cancel_;
};

TEST(GrpcConnection, BytesAndMetadataGoAndComeBack) {
  EchoServer server;
  const auto connection = ConnectTo(server.port(), {.api_key = "the key", .tenant = "acme"});
  const std::string request("\0\xff binary", 9);
  AttemptEnd end = Pending(*connection, "Echo", request, Seconds(60), {{"x-client-token", "t-1"}}).Wait();
  EXPECT_THAT(end.status, IsOk());
  EXPECT_EQ(end.reply, request);
  EXPECT_THAT(end.metadata, Contains(Pair("saw-x-client-token", "t-1")));
  EXPECT_THAT(end.metadata, Contains(Pair("saw-x-api-key", "the key")));
  EXPECT_THAT(end.metadata, Contains(Pair("saw-x-tenant-id", "acme")));
  EXPECT_EQ(Pending(*connection, "Echo", "").Wait().reply, "") << "an empty reply is one";
  const std::string large(3 << 20, 'x');
  EXPECT_TRUE(Pending(*connection, "Echo", large).Wait().reply == large);
}

TEST(GrpcConnection, AnErrorHasItsDetailsAsPayloadsAndItsTrailingMetadata_C27) {
  EchoServer server;
  const AttemptEnd end = Pending(*ConnectTo(server.port()), "Refuse").Wait();
  EXPECT_THAT(end.status, StatusIs(StatusCode::kNotFound, "no such image"));
  EXPECT_EQ(ReasonOf(end.status), "IMAGE_NOT_FOUND");
  EXPECT_THAT(end.metadata, Contains(Pair("hapax-retry", "never")));
}

TEST(GrpcConnection, ALongRefusalArrivesWithItsReason_C27) {
  EchoServer server;
  const AttemptEnd end = Pending(*ConnectTo(server.port()), "RefuseAtLength").Wait();
  EXPECT_THAT(end.status, StatusIs(StatusCode::kNotFound, "no such image"));
  EXPECT_EQ(ReasonOf(end.status), "IMAGE_NOT_FOUND");
  EXPECT_THAT(end.metadata, Contains(Pair("hapax-retry", "never")));
}

// Nobody listens at the proxy's port.
TEST(GrpcConnection, AProxyIsNotUsedForThisMachineAndElseNamedInErrors) {
  EchoServer server;
  setenv("http_proxy", "http://user:secret@127.0.0.1:1", 1);
  EXPECT_THAT(Pending(*ConnectTo(server.port()), "Echo").Wait().status, IsOk());
  EXPECT_THAT(Pending(*ConnectTo(server.port()), "Fail").Wait().status, StatusIs(StatusCode::kUnavailable, "not now"));
  const auto elsewhere = Connect({.endpoint = "hapax.invalid:50051"}).value();
  const AttemptEnd end = Pending(*elsewhere, "Echo").Wait();
  unsetenv("http_proxy");
  EXPECT_THAT(end.status,
              StatusIs(StatusCode::kUnavailable, testing::AllOf(HasSubstr("by the proxy 127.0.0.1:1 of http_proxy"),
                                                                testing::Not(HasSubstr("secret")))));
}

TEST(GrpcConnection, ReachesAServerByEveryFormOfItsAddress) {
  const TempDir dir;
  const EchoServer by_path("unix:" + dir.Path("socket"));
  const EchoServer by_port;
  setenv("http_proxy", "http://127.0.0.1:1", 1);  // Where nobody listens.
  for (const std::string& endpoint :
       {"unix:" + dir.Path("socket"), "unix://" + dir.Path("socket"), absl::StrCat("dns:///localhost:", by_port.port()),
        absl::StrCat("dns:127.0.0.1:", by_port.port()), absl::StrCat("ipv4:127.0.0.1:", by_port.port())}) {
    const auto connection = Connect({.endpoint = endpoint});
    ASSERT_THAT(connection, IsOk()) << endpoint;
    EXPECT_THAT(Pending(**connection, "Echo").Wait().status, IsOk()) << endpoint;
  }
  unsetenv("http_proxy");
}

TEST(GrpcConnection, MakesNoRetriesOfItsOwn) {
  EchoServer server;
  const auto connection = ConnectTo(server.port());
  for (int i = 1; i <= 3; ++i) {
    EXPECT_THAT(Pending(*connection, "Fail").Wait().status, StatusIs(StatusCode::kUnavailable, "not now"));
    EXPECT_EQ(server.attempts, i);
  }
}

TEST(GrpcConnection, TheDeadlineEndsAnAttempt) {
  EchoServer server;
  const auto connection = ConnectTo(server.port());
  EXPECT_THAT(Pending(*connection, "Hang", "", absl::Milliseconds(200)).Wait().status,
              StatusIs(StatusCode::kDeadlineExceeded));
  EXPECT_THAT(Pending(*connection, "Echo", "", -Seconds(1)).Wait().status, StatusIs(StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(server.cancelled.WaitForNotificationWithTimeout(Seconds(60)));
}

TEST(GrpcConnection, CancelEndsAnAttemptHereAndThereAndIsNothingLater) {
  EchoServer server;
  const auto connection = ConnectTo(server.port());
  Pending pending(*connection, "Hang");
  server.hanging.WaitForNotification();
  pending.Cancel();
  EXPECT_THAT(pending.Wait().status, StatusIs(StatusCode::kCancelled));
  server.cancelled.WaitForNotification();
  pending.Cancel();
  EXPECT_THAT(Pending(*connection, "Echo", "still here").Wait().reply, "still here");
}

TEST(GrpcConnection, CancelsWhatIsUnderWayWhenItGoes) {
  EchoServer server;
  auto connection = ConnectTo(server.port());
  Pending pending(*connection, "Hang");
  server.hanging.WaitForNotification();
  connection.reset();
  EXPECT_THAT(pending.Wait().status, StatusIs(StatusCode::kCancelled));
  pending.Cancel();
}

TEST(GrpcConnection, MayGoWhileADoneIsUnderWay) {
  // gRPC's thread must not be left with the last of the channel: it would wait for itself, and end the process.
  auto connection = ConnectTo(/*port=*/1);
  absl::Notification in_done;
  absl::Notification left;
  Connection::Cancel cancel = connection->Start({.method = "t.T/Echo", .deadline = absl::Now() + Seconds(60)},
                                                [&in_done, &left](const AttemptEnd&) {
                                                  in_done.Notify();
                                                  left.WaitForNotificationWithTimeout(absl::Milliseconds(300));
                                                });
  in_done.WaitForNotification();
  cancel = nullptr;
  connection.reset();
  left.Notify();
}

TEST(GrpcConnection, AServerThatIsGoneIsUnavailableAndIsFoundAfterItIsBack) {
  auto server = std::make_unique<EchoServer>();
  const int port = server->port();
  const auto connection = ConnectTo(port);
  EXPECT_THAT(Pending(*connection, "Echo").Wait().status, IsOk());
  server.reset();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(Pending(*connection, "Echo").Wait().status, StatusIs(StatusCode::kUnavailable));
  }
  server = std::make_unique<EchoServer>(port);
  ASSERT_EQ(server->port(), port);
  RetryPolicy policy;
  policy.max_backoff = absl::Milliseconds(100);
  Caller caller(connection, {.retry = policy, .budget = {.capacity = 10'000}});
  EXPECT_THAT(caller.CallRaw({.method = "t.T/Echo", .request = "back", .token = "t"}).reply, IsOkAndHolds("back"));
}

TEST(GrpcConnection, WhatCannotBeSentIsRefusedAndTheProcessLives) {
  EchoServer server;
  const auto connection = ConnectTo(server.port());
  for (const char* const bad : {"line\nbreak", "\x7f", "\xc3\xa4"}) {
    EXPECT_THAT(Pending(*connection, "Echo", "", Seconds(60), {{"x-client-token", bad}}).Wait().status,
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("x-client-token")));
    EXPECT_THAT(Connect({.api_key = bad}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("API key")));
    EXPECT_THAT(Connect({.tenant = bad}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("tenant")));
  }
  EXPECT_EQ(server.attempts, 0);
}

// How long TCP waits for an acknowledgement on each connection of this process to the port.
std::vector<absl::Duration> UserTimeoutsTo(int port) {
  std::vector<absl::Duration> timeouts;
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || ntohs(peer.sin_port) != port) continue;
    unsigned timeout_ms = 0;
    size = sizeof(timeout_ms);
    EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size), 0);
    timeouts.push_back(absl::Milliseconds(timeout_ms));
  }
  return timeouts;
}

TEST(GrpcConnection, APeerThatVanishesIsGivenUpBeforeTcpWould) {
  EchoServer server;
  const auto connection = ConnectTo(server.port());
  EXPECT_THAT(Pending(*connection, "Echo").Wait().status, IsOk());
  EXPECT_THAT(UserTimeoutsTo(server.port()), ElementsAre(Seconds(10)));
}

TEST(GrpcConnection, OneOfSeveralPeersThatVanishesIsGivenUpEarlier) {
  EchoServer server;
  const auto connection = Connect({.endpoint = absl::StrCat("127.0.0.1:", server.port(), ",127.0.0.1:1")}).value();
  EXPECT_THAT(Pending(*connection, "Echo").Wait().status, IsOk());
  EXPECT_THAT(UserTimeoutsTo(server.port()), ElementsAre(Seconds(3)));
}

TEST(GrpcConnection, WhatIsRefusedHereIsToldFromWhatWasSent) {
  EchoServer server;
  const auto connection = ConnectTo(server.port());
  EXPECT_FALSE(Pending(*connection, "Echo", "", Seconds(60), {{"x-client-token", "\n"}}).Wait().sent);
  EXPECT_TRUE(Pending(*connection, "Fail").Wait().sent);
}

TEST(Connect, SaysWhichOptionsAreWrong) {
  const TempDir dir;
  const auto invalid = [](const std::string& says) { return StatusIs(StatusCode::kInvalidArgument, HasSubstr(says)); };
  EXPECT_THAT(Connect({.tls_ca_file = "x"}), invalid("TLS is not asked for"));
  EXPECT_THAT(Connect({.tls = true, .tls_cert_file = "x"}), invalid("together"));
  EXPECT_THAT(Connect({.tls = true, .tls_ca_file = dir.Path("none")}), invalid("tls_ca_file"));
  std::ofstream(dir.Path("empty")).flush();
  EXPECT_THAT(Connect({.tls = true, .tls_ca_file = dir.Path("empty")}), invalid("empty"));
  EXPECT_THAT(Connect({.tls = true}), IsOk());
  EXPECT_THAT(Connect({.endpoint = "127.0.0.1:1"}), IsOk()) << "whether somebody is there, calls find out";
}

}  // namespace
}  // namespace hapax::client
