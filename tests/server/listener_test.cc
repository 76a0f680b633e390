#include "hapax/server/listener.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

// What becomes of connections is e2e.connections' to show.
namespace hapax {
namespace {

using testing::HasSubstr;

constexpr int kMaxConnections = 1;

TEST(Listener, ListensOnNamesAndAddressesOfBothKinds) {
  for (const char* address : {"127.0.0.1:0", "localhost:0", "0.0.0.0:0"}) {
    const auto listener = Listener::Open(address, kMaxConnections);
    ASSERT_THAT(listener, IsOk()) << address;
    EXPECT_GT((*listener)->port(), 0) << address;
  }
}

TEST(Listener, APortThatIsListenedOnIsTakenUntilThatEnds) {
  auto listener = Listener::Open("127.0.0.1:0", kMaxConnections);
  ASSERT_THAT(listener, IsOk());
  const std::string address = absl::StrCat("127.0.0.1:", (*listener)->port());
  EXPECT_THAT(Listener::Open(address, kMaxConnections), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)));
  *listener = nullptr;
  EXPECT_THAT(Listener::Open(address, kMaxConnections), IsOk());
}

TEST(Listener, WhatIsNoAddressIsNamed) {
  for (const char* address : {"", "nonsense", ":", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:-1", "127.0.0.1:65536",
                              "192.0.2.1:0", "[::1:0"}) {
    EXPECT_THAT(Listener::Open(address, kMaxConnections), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)))
        << address;
  }
}

}  // namespace
}  // namespace hapax
