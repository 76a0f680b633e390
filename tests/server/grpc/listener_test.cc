#include "hapax/server/grpc/listener.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

// Which connections are taken is listener_limits_test's to show.
namespace hapax {
namespace {

using testing::HasSubstr;

constexpr Listener::Limits kLimits = {.max_connections = 1, .max_stranger_connections = 1};

TEST(Listener, ListensOnNamesAndAddressesOfBothKinds) {
  for (const char* address : {"127.0.0.1:0", "localhost:0", "0.0.0.0:0"}) {
    const auto listener = Listener::Open(address, kLimits);
    ASSERT_THAT(listener, IsOk()) << address;
    EXPECT_GT((*listener)->port(), 0) << address;
  }
}

TEST(Listener, APortThatIsListenedOnIsTakenUntilThatEnds) {
  auto listener = Listener::Open("127.0.0.1:0", kLimits);
  ASSERT_THAT(listener, IsOk());
  const std::string address = absl::StrCat("127.0.0.1:", (*listener)->port());
  EXPECT_THAT(Listener::Open(address, kLimits), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)));
  *listener = nullptr;
  EXPECT_THAT(Listener::Open(address, kLimits), IsOk());
}

// A name that stands for both 127.0.0.1 and ::1; whoever has the port on either is named.
TEST(Listener, EveryAddressOfANameIsListenedOnOrTheStartFails) {
  auto both = Listener::Open("localhost:0", kLimits);
  ASSERT_THAT(both, IsOk());
  const int port = (*both)->port();
  if (!(*both)->skipped_addresses().empty())
    GTEST_SKIP() << "this machine has no " << (*both)->skipped_addresses().front();
  both->reset();
  int addresses_taken = 0;
  for (const char* one : {"127.0.0.1", "[::1]"}) {
    const auto other = Listener::Open(absl::StrCat(one, ":", port), kLimits);
    if (!other.ok()) continue;
    ++addresses_taken;
    const auto refused = Listener::Open(absl::StrCat("localhost:", port), kLimits);
    if (refused.ok()) continue;  // The name does not stand for this address here.
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(absl::StrCat(one, ":", port))));
    EXPECT_THAT(Listener::Open("localhost:0", kLimits), IsOk()) << "any port will do";
  }
  EXPECT_GT(addresses_taken, 0);
}

TEST(Listener, WhatIsNoAddressIsNamed) {
  for (const char* address : {"", "nonsense", ":", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:-1", "127.0.0.1:65536",
                              "192.0.2.1:0", "[::1:0"}) {
    EXPECT_THAT(Listener::Open(address, kLimits), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)))
        << address;
  }
}

// C32: gRPC keeps headers until they end.
TEST(Connection, C32_BytesOfNoCallAreTooManyAtSomePoint) {
  Connection connection(/*descriptor=*/-1, /*inode=*/0, /*accepted_at=*/absl::ZeroDuration());
  EXPECT_FALSE(connection.IsFlooded(Connection::kMaxIdleBytes));
  EXPECT_TRUE(connection.IsFlooded(Connection::kMaxIdleBytes + 1));
  connection.HearOfCall();
  EXPECT_FALSE(connection.IsFlooded(Connection::kMaxIdleBytes + 1));
  EXPECT_TRUE(connection.IsFlooded(2 * Connection::kMaxIdleBytes + 2));
}

TEST(Connection, C32_IsAStrangersUntilACallOfItIsAdmitted) {
  Connection connection(/*descriptor=*/-1, /*inode=*/0, /*accepted_at=*/absl::ZeroDuration());
  connection.HearOfCall();
  EXPECT_TRUE(connection.is_strangers());
  connection.BeginCall();
  EXPECT_FALSE(connection.is_strangers());
  connection.EndRead();
  connection.EndCall();
  EXPECT_FALSE(connection.is_strangers());
}

TEST(Connection, C32_AStrangersCallsMustEnd) {
  Connection connection(/*descriptor=*/-1, /*inode=*/0, /*accepted_at=*/absl::ZeroDuration());
  const absl::Duration late = Connection::kTimeToRead + absl::Milliseconds(1);
  absl::Duration now = absl::Seconds(1);
  for (int i = 0; i < Connection::kMaxStrangersCalls; ++i) connection.HearOfCall();
  EXPECT_FALSE(connection.IsClogged(now));
  EXPECT_FALSE(connection.IsClogged(now += late)) << "so many may stay open";
  connection.HearOfCall();
  EXPECT_FALSE(connection.IsClogged(now += Connection::kTimeToRead));
  EXPECT_TRUE(connection.IsClogged(now + late));
  connection.EndRefusedCall();
  EXPECT_FALSE(connection.IsClogged(now += late));
  connection.HearOfCall();
  EXPECT_FALSE(connection.IsClogged(now + Connection::kTimeToRead)) << "its time begins anew";
  connection.BeginCall();
  EXPECT_FALSE(connection.IsClogged(now + 2 * late)) << "it is no stranger's any more";
}

TEST(Connection, C32_CallsThatAreAdmittedAndReadMaySendMore) {
  Connection connection(/*descriptor=*/-1, /*inode=*/0, /*accepted_at=*/absl::ZeroDuration());
  uint64_t received = 0;
  connection.BeginCall();
  connection.BeginCall();
  EXPECT_FALSE(connection.IsFlooded(received += 2 * Connection::kMaxReadBytes));
  EXPECT_TRUE(connection.IsFlooded(received + 1));
  connection.EndRead();
  connection.EndRead();
  EXPECT_FALSE(connection.IsFlooded(received += 1));
  EXPECT_FALSE(connection.IsFlooded(received += Connection::kMaxBusyBytes));
  EXPECT_TRUE(connection.IsFlooded(received + 1));
  connection.EndCall();
  connection.EndCall();
  EXPECT_FALSE(connection.IsFlooded(received += 1));
  EXPECT_TRUE(connection.IsFlooded(received + Connection::kMaxIdleBytes + 1));
}

}  // namespace
}  // namespace hapax
