#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/server/grpc/listener.h"
#include "hapax/tests/support/status_matchers.h"

// What it costs is e2e.limits' to show.
namespace hapax {
namespace {

// How long something may take before a test gives up on it.
constexpr absl::Duration kPatience = absl::Seconds(20);

// The connections that were handed over. Unlike gRPC it closes them only when told to.
class Taken {
 public:
  ~Taken() {
    absl::MutexLock lock(&mu_);
    for (const int connection : descriptors_) Close(connection);
  }

  void Add(int connection) {
    absl::MutexLock lock(&mu_);
    descriptors_.push_back(connection);
    ++count_;
  }
  // Closes the one that was handed over first of those that are open.
  void CloseFirst() {
    absl::MutexLock lock(&mu_);
    Close(descriptors_.front());
    descriptors_.erase(descriptors_.begin());
  }
  [[nodiscard]] bool AwaitCount(int count) {
    absl::MutexLock lock(&mu_);
    const auto are_taken = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return count_ >= count; };
    return mu_.AwaitWithTimeout(absl::Condition(&are_taken), kPatience);
  }
  [[nodiscard]] int count() {
    absl::MutexLock lock(&mu_);
    return count_;
  }

 private:
  // The listener may just be resetting it, which is no race of descriptors: it knows its inode. gRPC's close, which is
  // not instrumented, is not seen by ThreadSanitizer either.
  static void Close(int connection) { ::syscall(SYS_close, connection); }

  absl::Mutex mu_;
  std::vector<int> descriptors_ ABSL_GUARDED_BY(mu_);
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

class Acceptor : public grpc::experimental::ExternalConnectionAcceptor {
 public:
  explicit Acceptor(Taken& taken) : taken_(taken) {}
  void HandleNewConnection(NewConnectionParameters* parameters) override { taken_.Add(parameters->fd); }

 private:
  Taken& taken_;
};

// A client's end of a connection.
class Client {
 public:
  explicit Client(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in server = {.sin_family = AF_INET,
                          .sin_port = htons(static_cast<uint16_t>(port)),
                          .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                          .sin_zero = {}};
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&server), sizeof(server)), 0);
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // As gRPC writes it.
  [[nodiscard]] std::string peer() const {
    sockaddr_in own{};
    socklen_t size = sizeof(own);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &size);
    return absl::StrCat("ipv4:127.0.0.1:", ntohs(own.sin_port));
  }
  // Whether the server ends it within that time.
  [[nodiscard]] bool IsEnded(absl::Duration within = absl::ZeroDuration()) const {
    pollfd ended = {.fd = socket_, .events = POLLIN, .revents = 0};
    return poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(within))) == 1;
  }

 private:
  const int socket_;
};

class ListenerLimitsTest : public testing::Test {
 protected:
  void Start(const Listener::Limits& limits) {
    auto listener = Listener::Open("127.0.0.1:0", limits);
    ASSERT_THAT(listener, IsOk());
    listener_ = *std::move(listener);
    listener_->Start(std::make_unique<Acceptor>(taken_));
  }

  // A connection that waits to be accepted.
  std::unique_ptr<Client> Connect() { return std::make_unique<Client>(listener_->port()); }
  // One that was accepted.
  std::unique_ptr<Client> ConnectStranger() {
    const int before = taken_.count();
    auto client = Connect();
    EXPECT_TRUE(taken_.AwaitCount(before + 1));
    return client;
  }
  // One on which a call was admitted.
  std::unique_ptr<Client> ConnectKnown() {
    auto client = ConnectStranger();
    listener_->Find(client->peer())->BeginCall();
    return client;
  }

  Taken taken_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerLimitsTest, C32_TheOldestStrangerGoesForANewConnectionAndThatWaitsUntilItIsGone) {
  Start({.max_connections = 10, .max_stranger_connections = 2, .stranger_grace = absl::ZeroDuration()});
  const auto oldest = ConnectStranger();
  const auto other = ConnectStranger();
  const auto newcomer = Connect();
  EXPECT_TRUE(oldest->IsEnded(kPatience));
  EXPECT_FALSE(other->IsEnded());
  EXPECT_EQ(taken_.count(), 2) << "what was reset keeps its memory until it is closed";
  taken_.CloseFirst();
  EXPECT_TRUE(taken_.AwaitCount(3));
  listener_->Stop();
  EXPECT_FALSE(other->IsEnded());
  EXPECT_FALSE(newcomer->IsEnded());
}

TEST_F(ListenerLimitsTest, C32_AsManyStrangersGoAsConnectionsWait) {
  Start({.max_connections = 10, .max_stranger_connections = 3, .stranger_grace = absl::Milliseconds(200)});
  const std::vector<std::unique_ptr<Client>> strangers = [this] {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(ConnectStranger());
    return clients;
  }();
  const auto one = Connect();
  const auto another = Connect();
  EXPECT_TRUE(strangers[0]->IsEnded(kPatience));
  EXPECT_TRUE(strangers[1]->IsEnded(kPatience));
  listener_->Stop();
  EXPECT_FALSE(strangers[2]->IsEnded());
}

TEST_F(ListenerLimitsTest, C32_NobodyGoesWhileNobodyWaits) {
  Start({.max_connections = 10, .max_stranger_connections = 2, .stranger_grace = absl::ZeroDuration()});
  const auto one = ConnectStranger();
  const auto other = ConnectStranger();
  listener_->Stop();
  EXPECT_FALSE(one->IsEnded());
  EXPECT_FALSE(other->IsEnded());
}

TEST_F(ListenerLimitsTest, C32_AStrangerHasItsTimeForACall) {
  constexpr absl::Duration kGrace = absl::Milliseconds(100);
  Start({.max_connections = 10, .max_stranger_connections = 1, .stranger_grace = kGrace});
  const absl::Duration before = MonotonicNow();
  const auto stranger = ConnectStranger();
  const auto newcomer = Connect();
  EXPECT_TRUE(stranger->IsEnded(kPatience));
  EXPECT_GE(MonotonicNow() - before, kGrace);
}

TEST_F(ListenerLimitsTest, C32_AConnectionWithAnAdmittedCallGoesForNobodyAndTakesNoStrangersPlace) {
  Start({.max_connections = 10, .max_stranger_connections = 1, .stranger_grace = absl::ZeroDuration()});
  const auto known = ConnectKnown();
  const auto stranger = ConnectStranger();
  const auto newcomer = Connect();
  EXPECT_TRUE(stranger->IsEnded(kPatience));
  listener_->Stop();
  EXPECT_FALSE(known->IsEnded());
}

TEST_F(ListenerLimitsTest, C32_StrangersAmongAsManyConnectionsAsThereMayBeKeepNobodyOut) {
  Start({.max_connections = 2, .max_stranger_connections = 10, .stranger_grace = absl::ZeroDuration()});
  const auto known = ConnectKnown();
  const auto stranger = ConnectStranger();
  const auto newcomer = Connect();
  EXPECT_TRUE(stranger->IsEnded(kPatience));
  EXPECT_FALSE(newcomer->IsEnded());
  taken_.CloseFirst();  // The known one, whose place is as good.
  EXPECT_TRUE(taken_.AwaitCount(3));
}

TEST_F(ListenerLimitsTest, OneConnectionTooManyIsClosedAtOnceWhereNoneIsAStrangers) {
  Start({.max_connections = 2, .max_stranger_connections = 1});
  const auto one = ConnectKnown();
  const auto other = ConnectKnown();
  const auto newcomer = Connect();
  EXPECT_TRUE(newcomer->IsEnded(kPatience));
  EXPECT_EQ(taken_.count(), 2);
  EXPECT_FALSE(one->IsEnded());
  EXPECT_FALSE(other->IsEnded());
}

}  // namespace
}  // namespace hapax
