#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/wire/connection.h"
#include "hapax/client/wire/endpoint_health.h"
#include "hapax/client/wire/failover_connection.h"
#include "hapax/client/wire/grpc_connection.h"
#include "hapax/tests/client/wire/echo_server.h"
#include "hapax/tests/client/wire/fake_dns.h"
#include "hapax/tests/support/certificates.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// Several servers, over real connections. Which of them is home is random, so a test serves for any.
namespace hapax::client {
namespace {

using ::absl::Seconds;
using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string At(int port) { return absl::StrCat("127.0.0.1:", port); }

// Where nobody listens.
std::string Nowhere() {
  const EchoServer gone;
  return At(gone.port());
}

std::unique_ptr<Caller> CallerOf(const std::string& endpoints, ConnectionOptions options = {}) {
  options.endpoint = endpoints;
  return std::make_unique<Caller>(Connect(options).value());
}

RawCall CallOf(const std::string& method, const std::string& token = "t") {
  return {.method = "t.T/" + method, .request = "request", .token = token};
}

// A started call.
struct Started {
  Started(Caller& caller, RawCall call) {
    caller.StartRaw(std::move(call), caller.retry_policy(), [this](Result<std::string> end) {
      result = std::move(end);
      ended.Notify();
    });
  }
  std::optional<Result<std::string>> result;
  absl::Notification ended;
};

TEST(Failover, AServerThatIsDownAtTheStartIsPassedOver) {
  EchoServer server;
  const std::string endpoints = absl::StrCat(Nowhere(), ",", At(server.port()), ",", Nowhere());
  for (int i = 0; i < 8; ++i) {
    const auto caller = CallerOf(endpoints);
    EXPECT_THAT(caller->CallRaw(CallOf("Echo")).reply, IsOkAndHolds("request"));
    EXPECT_EQ(caller->CallRaw(CallOf("Echo")).info.attempts, 1);
  }
  EXPECT_EQ(server.attempts, 16);
}

TEST(Failover, WhenAServerDiesWithTheReplyAnotherReplaysIt_C15_C30) {
  const auto store = std::make_shared<EchoServer::Store>();
  std::vector<std::unique_ptr<EchoServer>> servers;
  for (int i = 0; i < 2; ++i) {
    servers.push_back(std::make_unique<EchoServer>(store));
    servers.back()->loses_replies = true;
  }
  const auto caller = CallerOf(absl::StrCat(At(servers[0]->port()), ",", At(servers[1]->port())));
  Started call(*caller, CallOf("Once", "the-token"));
  {
    absl::MutexLock lock(&store->mu);
    const auto has_effect = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(store->mu) { return !store->replies.empty(); };
    store->mu.Await(absl::Condition(&has_effect));
  }
  std::unique_ptr<EchoServer>& first = servers[servers[0]->attempts > 0 ? 0 : 1];
  const std::string reply = absl::StrCat(first->port());
  for (const auto& server : servers) server->loses_replies = false;
  first->WaitUntilHeld(1);
  first.reset();
  call.ended.WaitForNotification();
  EXPECT_THAT(call.result->reply, IsOkAndHolds(reply));
  EXPECT_EQ(call.result->info.outcome, Outcome::kReplayed);
  EXPECT_EQ(call.result->info.attempts, 2);
  absl::MutexLock lock(&store->mu);
  EXPECT_THAT(store->replies, SizeIs(1));
}

TEST(Failover, ADrainingServerFinishesItsCallsAndOthersGoElsewhere) {
  EchoServer one;
  EchoServer other;
  const auto caller = CallerOf(absl::StrCat(At(one.port()), ",", At(other.port())));
  Started held(*caller, CallOf("Hold"));
  const auto none_has_it = [&] { return one.attempts + other.attempts == 0; };
  while (none_has_it()) std::this_thread::yield();
  EchoServer& draining = one.attempts > 0 ? one : other;
  EchoServer& staying = one.attempts > 0 ? other : one;
  draining.WaitUntilHeld(1);
  std::thread drain([&] { draining.Drain(); });
  while (staying.attempts == 0) EXPECT_THAT(caller->CallRaw(CallOf("Echo")).reply, IsOkAndHolds("request"));
  draining.LetGo();
  held.ended.WaitForNotification();
  EXPECT_THAT(held.result->reply, IsOkAndHolds("request"));
  EXPECT_EQ(held.result->info.attempts, 1);
  drain.join();
}

TEST(Failover, WhenAllAreDownTheErrorNamesEach) {
  const std::string one = Nowhere();
  const std::string other = Nowhere();
  RetryPolicy policy;
  policy.max_attempts = 2;
  const auto caller = CallerOf(absl::StrCat(one, ",", other));
  EXPECT_THAT(
      caller->CallRaw(CallOf("Echo"), policy).reply,
      StatusIs(StatusCode::kUnavailable, AllOf(HasSubstr("tried " + one + " ("), HasSubstr(other + " (failed"))));
}

TEST(Failover, AServerThatIsBackGetsTheAttemptsAgain) {
  auto home = std::make_unique<EchoServer>();
  EchoServer other;
  const int port = home->port();
  std::vector<std::shared_ptr<EndpointConnection>> endpoints;
  for (const int each : {port, other.port()}) {
    endpoints.push_back(OpenGrpcConnection(At(each), /*is_only=*/false, grpc::InsecureChannelCredentials(), {}, ""));
  }
  absl::Duration now = Seconds(1000);
  Caller caller(std::make_shared<FailoverConnection>(endpoints, std::vector<size_t>{0, 1}, [&now] { return now; }));
  EXPECT_THAT(caller.CallRaw(CallOf("Echo")).reply, IsOk());
  EXPECT_EQ(home->attempts, 1);
  home.reset();
  EXPECT_THAT(caller.CallRaw(CallOf("Echo")).reply, IsOk());
  EXPECT_EQ(other.attempts, 1);
  home = std::make_unique<EchoServer>(port);
  ASSERT_EQ(home->port(), port);
  now += EndpointHealth::kFirstPause;
  while (home->attempts == 0) EXPECT_EQ(caller.CallRaw(CallOf("Echo")).info.attempts, 1);
  const int before = other.attempts;
  EXPECT_THAT(caller.CallRaw(CallOf("Echo")).reply, IsOk());
  EXPECT_EQ(other.attempts, before);
}

TEST(Failover, ANameWithSeveralAddressesUsesAllAndLosesNoCallWithOneOfThem) {
  auto one = std::make_unique<EchoServer>();
  const EchoServer other(absl::StrCat("127.0.0.2:", one->port()));
  const FakeDns dns({"127.0.0.1", "127.0.0.2"});
  const auto caller = CallerOf(absl::StrCat("dns://127.0.0.1:", dns.port(), "/several.example:", one->port()));
  while (one->attempts == 0 || other.attempts == 0) {
    EXPECT_THAT(caller->CallRaw(CallOf("Echo")).reply, IsOkAndHolds("request"));
  }
  one.reset();
  for (int i = 0; i < 4; ++i) EXPECT_THAT(caller->CallRaw(CallOf("Echo")).reply, IsOkAndHolds("request"));
}

class FailoverByTlsTest : public testing::Test {
 protected:
  // A server whose certificate has these names.
  std::unique_ptr<EchoServer> ServerNamed(const std::string& names) {
    const MadeCertificate own = MakeCertificate({.names = names}, &authority_);
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({.private_key = own.key, .cert_chain = own.cert});
    return std::make_unique<EchoServer>("127.0.0.1:0", grpc::SslServerCredentials(options));
  }
  ConnectionOptions Trusting() {
    const std::string path = dir_.Path("authority");
    std::ofstream(path) << authority_.cert;
    return {.tls = true, .tls_ca_file = path};
  }

 private:
  const TempDir dir_;
  const MadeCertificate authority_ = MakeCertificate({.common_name = "authority", .is_ca = true});
};

TEST_F(FailoverByTlsTest, EachServerShowsACertificateForItsOwnName) {
  const auto by_name = ServerNamed("DNS:localhost");
  const auto by_address = ServerNamed("IP:127.0.0.1");
  ConnectionOptions options = Trusting();
  options.endpoint = absl::StrCat("localhost:", by_name->port(), ",", At(by_address->port()));
  const auto connection = Connect(options).value();
  for (const size_t endpoint : {0, 1}) {
    absl::Status status;
    absl::Notification ended;
    const auto cancel = connection->Start(
        {.method = "t.T/Echo", .deadline = absl::Now() + Seconds(60), .endpoint = endpoint}, [&](AttemptEnd end) {
          status = end.status;
          ended.Notify();
        });
    ended.WaitForNotification();
    EXPECT_THAT(status, IsOk()) << endpoint;
  }
  EXPECT_EQ(by_name->attempts, 1);
  EXPECT_EQ(by_address->attempts, 1);
}

TEST_F(FailoverByTlsTest, AServerWithAnothersCertificateGetsNothing) {
  const auto server = ServerNamed("IP:127.0.0.1");
  const auto impostor = ServerNamed("IP:127.0.0.1");
  const std::string endpoints = absl::StrCat("localhost:", impostor->port(), ",", At(server->port()));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(CallerOf(endpoints, Trusting())->CallRaw(CallOf("Echo")).reply, IsOkAndHolds("request"));
  }
  EXPECT_EQ(impostor->attempts, 0);
  EXPECT_EQ(server->attempts, 4);
}

}  // namespace
}  // namespace hapax::client
