#include "hapax/server/grpc/corks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "absl/synchronization/notification.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "hapax/server/grpc/event_loop.h"

namespace hapax {
namespace {

// A TCP connection with itself, over a listener that is closed again.
class CorksTest : public testing::Test {
 protected:
  CorksTest() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    client_ = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client_, reinterpret_cast<sockaddr*>(&address), size), 0);
    server_ = ::accept(listener, nullptr, nullptr);
    ::close(listener);
  }
  ~CorksTest() override {
    ::close(client_);
    ::close(server_);
  }

  [[nodiscard]] bool IsCorked() const {
    int is_corked = -1;
    socklen_t size = sizeof(is_corked);
    EXPECT_EQ(::getsockopt(server_, IPPROTO_TCP, TCP_CORK, &is_corked, &size), 0);
    return is_corked != 0;
  }

  int client_ = -1;
  int server_ = -1;
};

TEST_F(CorksTest, AConnectionIsCorkedOnceAndReleased) {
  Corks corks;
  EXPECT_TRUE(corks.empty());
  corks.Add(server_);
  corks.Add(server_);
  EXPECT_TRUE(IsCorked());
  EXPECT_FALSE(corks.empty());
  ASSERT_EQ(::send(server_, "a", 1, 0), 1);
  corks.Release();
  EXPECT_FALSE(IsCorked());
  EXPECT_TRUE(corks.empty());
  char received = 0;
  EXPECT_EQ(::recv(client_, &received, 1, 0), 1);
  EXPECT_EQ(received, 'a');
}

TEST_F(CorksTest, AClosedDescriptorDoesNoHarm) {
  Corks corks;
  const int closed = ::dup(server_);
  ::close(closed);
  corks.Add(closed);
  corks.Add(server_);
  corks.Release();
  EXPECT_FALSE(IsCorked());
}

// Before it waits: nobody waits for a reply that the loop holds back.
TEST_F(CorksTest, ALoopWithManyCallsHoldsBackWhatItSendsUntilItWaits) {
  EventLoop loop(grpc::ServerBuilder().AddCompletionQueue());
  loop.Start();
  const auto hold_back = [&](int calls) {
    bool is_corked = false;
    absl::Notification done;
    loop.Post([&] {
      for (int i = 0; i < calls; ++i) loop.Hold();
      loop.HoldBack(server_);
      is_corked = IsCorked();
      for (int i = 0; i < calls; ++i) loop.Release();
      done.Notify();
    });
    done.WaitForNotification();
    return is_corked;
  };
  EXPECT_FALSE(hold_back(1));
  EXPECT_TRUE(hold_back(100));
  while (IsCorked()) {
  }
}

}  // namespace
}  // namespace hapax
