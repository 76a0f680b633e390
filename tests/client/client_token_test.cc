#include "hapax/client/client_token.h"

#include <set>
#include <string>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::client {
namespace {

using ::testing::MatchesRegex;

TEST(NewClientToken, IsAVersion7UuidThatAServerTakes_C2) {
  absl::BitGen random;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(NewClientToken(absl::Now(), random),
                MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  }
}

TEST(NewClientToken, CarriesItsTimeInMilliseconds) {
  absl::BitGen random;
  const std::string token = NewClientToken(absl::FromUnixMillis(0x0123456789AB), random);
  EXPECT_EQ(token.substr(0, 13), "01234567-89ab");
}

TEST(NewClientToken, OrdersByTime) {
  absl::BitGen random;
  const absl::Time now = absl::FromUnixMillis(1'700'000'000'000);
  EXPECT_LT(NewClientToken(now, random), NewClientToken(now + absl::Milliseconds(1), random));
}

TEST(NewClientToken, IsNewEveryTimeAtOneInstant) {
  absl::BitGen random;
  const absl::Time now = absl::FromUnixMillis(1'700'000'000'000);
  std::set<std::string> tokens;
  for (int i = 0; i < 10'000; ++i) tokens.insert(NewClientToken(now, random));
  EXPECT_EQ(tokens.size(), 10'000u);
}

}  // namespace
}  // namespace hapax::client
