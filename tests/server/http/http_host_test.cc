#include "hapax/server/http/http_host.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/support/raw_http.h"
#include "hapax/tests/support/status_matchers.h"

// A host with doors of the test's, and clients that send bytes.
namespace hapax {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kGet[] = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n";

// Tells what arrived. What is asked at /held waits until it is let go.
class EchoDoor final : public Door {
 public:
  [[nodiscard]] bool IsFor(const HttpRequest& request) const override {
    return request.path == "/echo" || request.path == "/held" || request.path == "/large";
  }
  void Serve(const HttpRequest& request, DoorCalls& /*calls*/, Done done) const override {
    HttpReply reply{.status = 200, .content_type = "text/plain", .headers = {{"X-Door", "echo"}}, .body = ""};
    if (request.path == "/large") reply.body = std::string(size_t{3} << 20, 'x');
    if (request.path == "/echo") {
      reply.body = absl::StrCat(request.method, " ", request.query, " ", request.prefix_token, " ", request.body);
      const auto wanted = request.Header("x-status");
      if (wanted.has_value()) reply.status = std::stoi(std::string(*wanted));
    }
    if (request.path != "/held") return std::move(done)(std::move(reply));
    is_gone_ = request.is_gone;
    held_ = std::make_unique<Done>(std::move(done));
    has_come_.Notify();
  }

  void AwaitHeld() const { has_come_.WaitForNotification(); }
  void LetGo() { std::move (*held_)({.status = 200, .content_type = "text/plain", .headers = {}, .body = "let go"}); }
  [[nodiscard]] bool IsGone() const { return *is_gone_; }

 private:
  mutable std::unique_ptr<Done> held_;
  mutable std::shared_ptr<const std::atomic<bool>> is_gone_;
  mutable absl::Notification has_come_;
};

class NoCalls final : public DoorCalls {
 public:
  void Run(const HttpRequest& /*origin*/, DoorCall /*call*/, Done /*done*/) override { FAIL() << "no door calls"; }
};

class HttpHostTest : public testing::Test {
 protected:
  void Start() {
    auto host =
        HttpHost::Start({.listen_address = "127.0.0.1:0", .event_threads = 2, .limits = limits_}, {&door_}, calls_);
    ASSERT_THAT(host, IsOk());
    host_ = *std::move(host);
  }
  void SetUp() override { Start(); }
  void Restart() {
    host_ = nullptr;
    Start();
  }
  [[nodiscard]] std::string ReplyTo(const std::string& bytes) const {
    RawHttp connection(host_->port());
    connection.Send(bytes);
    return connection.Reply();
  }

  ConnectionLimits limits_;
  EchoDoor door_;
  NoCalls calls_;
  std::unique_ptr<HttpHost> host_;
};

TEST_F(HttpHostTest, RequestsOfAConnectionAreServedOneAfterTheOther) {
  RawHttp connection(host_->port());
  connection.Send(
      absl::StrCat(kGet, "POST /with-client-token/T/echo?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
                   "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                   "DELETE /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  const std::string first = connection.Reply();
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(first, HasSubstr("\r\nX-Door: echo\r\n"));
  EXPECT_THAT(first, HasSubstr("\r\nContent-Type: text/plain\r\n"));
  EXPECT_THAT(first, EndsWith("\r\nContent-Length: 6\r\n\r\nGET   "));
  EXPECT_THAT(connection.Reply(), EndsWith("\r\n\r\nPOST q=1 T body"));
  EXPECT_THAT(connection.Reply(), EndsWith("\r\n\r\nPUT   abc"));
  const std::string last = connection.Reply();
  EXPECT_THAT(last, EndsWith("\r\n\r\nDELETE   "));
  EXPECT_THAT(last, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(connection.IsEnded());
}

TEST_F(HttpHostTest, HeadHasTheHeadersOfGetAndNoBody) {
  RawHttp connection(host_->port());
  connection.Send("HEAD /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(connection.Reply(/*has_body=*/false), HasSubstr("\r\nContent-Length: 3145728\r\n"));
  connection.Send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_GT(connection.Reply().size(), size_t{3} << 20);
  connection.Send("GET /echo HTTP/1.1\r\nHost: h\r\nX-Status: 204\r\n\r\n");
  EXPECT_THAT(connection.Reply(), Not(HasSubstr("Content-Length")));
}

TEST_F(HttpHostTest, ACautiousClientIsToldToGoOn) {
  RawHttp connection(host_->port());
  connection.Send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(connection.Reply(), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.Send("ok");
  EXPECT_THAT(connection.Reply(), EndsWith("POST   ok"));
}

TEST_F(HttpHostTest, AConnectionOfHttp10EndsWithItsReply) {
  RawHttp connection(host_->port());
  connection.Send("GET /echo HTTP/1.0\r\n\r\n");
  EXPECT_THAT(connection.Reply(), StartsWith("HTTP/1.0 200 OK\r\n"));
  EXPECT_TRUE(connection.IsEnded());
}

// Each would be understood in another way by another server on the way (RFC 9112, section 11.2).
TEST_F(HttpHostTest, WhatIsNotStrictlyARequestIsRefusedAndEndsTheConnection) {
  const std::vector<std::string> wrong = {
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4, 4\r\n\r\nbody",
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -4\r\n\r\nbody",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0x4\r\n\r\nbody",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length : 4\r\n\r\nbody",
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "GET /echo HTTP/1.1\r\n\r\n",
      "GET /echo HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
      "GET /echo HTTP/1.1\r\nHost: h\r\nX\r\n\r\n",
      "GET /echo HTTP/1.1\r\nHost: h\r\nX: a\x01\r\n\r\n",
      "GET  /echo HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /echo HTTP/9.1\r\nHost: h\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\x16\x03\x01\x02\r\n\r\n",
  };
  for (const std::string& bytes : wrong) {
    RawHttp connection(host_->port());
    connection.Send(absl::StrCat(bytes, kGet));
    EXPECT_EQ(connection.Reply().substr(8, 5), " 400 ") << bytes;
    EXPECT_TRUE(connection.IsEnded()) << bytes;
  }
  EXPECT_THAT(ReplyTo("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpHostTest, C32_WhatIsTooLongIsRefusedBeforeItIsRead) {
  EXPECT_THAT(ReplyTo(absl::StrCat("GET /echo HTTP/1.1\r\nHost: h\r\nX: ", std::string(17'000, 'x'), "\r\n\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ReplyTo(absl::StrCat("GET /", std::string(17'000, 'x'), " HTTP/1.1\r\nHost: h\r\n\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ReplyTo("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4194305\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ReplyTo(absl::StrCat("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n400001\r\n",
                                   std::string(4'194'305, 'x'), "\r\n0\r\n\r\n")),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpHostTest, C32_BodiesAndRepliesBeyondTheirMemoryAreRefused) {
  limits_.max_connection_bytes = 1 << 20;
  Restart();
  EXPECT_THAT(ReplyTo("GET /large HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  {
    RawHttp half(host_->port());
    half.Send(
        absl::StrCat("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000001\r\n\r\n", std::string(1'000'000, 'x')));
    std::string reply;
    do {
      reply = ReplyTo(
          absl::StrCat("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n", std::string(500'000, 'x')));
    } while (absl::StartsWith(reply, "HTTP/1.1 200 "));  // Until the half has arrived.
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 503 "));
    half.Send("x");
    EXPECT_THAT(half.Reply(), StartsWith("HTTP/1.1 503 "));  // Its reply does not fit in.
  }
  EXPECT_THAT(ReplyTo(absl::StrCat("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n",
                                   std::string(500'000, 'x'))),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpHostTest, C32_AStrangerThatIsIdleMakesRoomForOthersAndAClientDoesNot) {
  limits_.max_connections = 2;
  Restart();
  RawHttp client(host_->port());
  client.Send(kGet);
  client.Reply();
  RawHttp stranger(host_->port());
  stranger.Send("GET /echo HTTP/1.1\r\nHost: h\r\nX-Status: 401\r\n\r\n");
  EXPECT_THAT(stranger.Reply(), StartsWith("HTTP/1.1 401 "));
  // Within its time of grace the stranger is safe.
  std::string reply;
  do {
    reply = ReplyTo(kGet);
  } while (reply.empty());
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(stranger.IsEnded());
  client.Send(kGet);
  EXPECT_THAT(client.Reply(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpHostTest, C32_SilentConnectionsEnd) {
  limits_.handshake_timeout = absl::Milliseconds(20);
  limits_.request_timeout = absl::Milliseconds(20);
  limits_.max_connection_idle = absl::Milliseconds(20);
  Restart();
  RawHttp silent(host_->port());
  EXPECT_TRUE(silent.IsEnded());
  RawHttp slow(host_->port());
  slow.Send("GET /echo HTTP/1.1\r\nHost:");
  EXPECT_TRUE(slow.IsEnded());
  RawHttp slow_body(host_->port());
  slow_body.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbod");
  EXPECT_TRUE(slow_body.IsEnded());
  RawHttp idle(host_->port());
  idle.Send(kGet);
  idle.Reply();
  EXPECT_TRUE(idle.IsEnded());
}

TEST_F(HttpHostTest, ADrainWaitsForTheRequestThatRunsAndEndsIdleConnections) {
  RawHttp idle(host_->port());
  idle.Send(kGet);
  idle.Reply();
  std::optional<RawHttp> busy(host_->port());
  busy->Send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  door_.AwaitHeld();
  std::thread drain([this] { host_->Drain(absl::InfiniteDuration()); });
  EXPECT_TRUE(idle.IsEnded());
  EXPECT_FALSE(door_.IsGone());
  door_.LetGo();
  EXPECT_THAT(busy->Reply(), EndsWith("let go"));
  EXPECT_TRUE(busy->IsEnded());
  busy.reset();
  drain.join();
}

TEST_F(HttpHostTest, ARequestThatOutlivesTheGraceLosesItsConnectionAndItsDoorIsAwaited) {
  RawHttp busy(host_->port());
  busy.Send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  door_.AwaitHeld();
  host_->Drain(absl::ZeroDuration());
  EXPECT_TRUE(busy.IsEnded());
  EXPECT_TRUE(door_.IsGone());
  std::thread end([this] { host_ = nullptr; });
  door_.LetGo();
  end.join();
}

TEST_F(HttpHostTest, APortThatIsTakenIsTold) {
  EXPECT_THAT(HttpHost::Start({.listen_address = absl::StrCat("127.0.0.1:", host_->port())}, {}, calls_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Address already in use")));
}

}  // namespace
}  // namespace hapax
