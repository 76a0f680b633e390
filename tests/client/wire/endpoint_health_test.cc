#include "hapax/client/wire/endpoint_health.h"

#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::client {
namespace {

using ::absl::Milliseconds;
using ::absl::Seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Three endpoints, of which the second is home.
class EndpointHealthTest : public testing::Test {
 protected:
  size_t Choose(const std::vector<size_t>& avoided = {}) {
    asked.clear();
    return health.Choose(avoided, now, [this](size_t endpoint) {
      asked.push_back(endpoint);
      return !disconnected.contains(endpoint);
    });
  }
  void Fail(size_t endpoint) { health.OnFailure(endpoint, now); }

  absl::Duration now = Seconds(1000);
  std::set<size_t> disconnected;
  std::vector<size_t> asked;  // Whether they are connected, in the last choice.
  EndpointHealth health{{1, 2, 0}};
};

TEST_F(EndpointHealthTest, AHealthyHomeIsChosenAndNoConnectionIsAskedFor) {
  disconnected = {0, 1, 2};  // None has been needed yet.
  EXPECT_EQ(Choose(), 1u);
  EXPECT_EQ(Choose(), 1u);
  EXPECT_THAT(asked, IsEmpty());
}

TEST_F(EndpointHealthTest, WhatIsAvoidedIsNotChosenWhileThereIsAnother) {
  EXPECT_EQ(Choose({1}), 2u);
  EXPECT_EQ(Choose({1, 2}), 0u);
  Fail(0);
  EXPECT_EQ(Choose({1, 2}), 0u) << "the attempt has been elsewhere already";
  EXPECT_EQ(Choose({0, 1, 2}), 1u);
}

TEST_F(EndpointHealthTest, AFailedEndpointIsPassedOverUntilItsPauseIsOverAndItIsConnected) {
  Fail(1);
  EXPECT_EQ(Choose(), 2u);
  EXPECT_THAT(asked, ElementsAre(1));
  disconnected = {1};
  now += Seconds(10);
  EXPECT_EQ(Choose(), 2u) << "its server is not back";
  disconnected = {};
  EXPECT_EQ(Choose(), 1u);
}

TEST_F(EndpointHealthTest, AfterThePauseOneAttemptTriesIt) {
  Fail(1);
  now += EndpointHealth::kFirstPause;
  EXPECT_EQ(Choose(), 1u);
  EXPECT_EQ(Choose(), 2u) << "until the first has told";
  health.OnAnswer(1);
  EXPECT_EQ(Choose(), 1u);
  EXPECT_EQ(Choose(), 1u);
}

TEST_F(EndpointHealthTest, ThePauseDoublesToItsLimitWithEachAttemptThatFailsAfterIt) {
  Fail(1);
  for (absl::Duration pause = EndpointHealth::kFirstPause; pause < 4 * EndpointHealth::kLongestPause; pause *= 2) {
    const absl::Duration expected = std::min(pause, EndpointHealth::kLongestPause);
    now += expected - Milliseconds(1);
    EXPECT_EQ(Choose(), 2u) << pause;
    now += Milliseconds(1);
    EXPECT_EQ(Choose(), 1u) << pause;
    Fail(1);
  }
}

TEST_F(EndpointHealthTest, AttemptsThatFailTogetherCountOnce) {
  for (int i = 0; i < 100; ++i) Fail(1);
  now += EndpointHealth::kFirstPause;
  EXPECT_EQ(Choose(), 1u);
}

TEST_F(EndpointHealthTest, WhenAllFailedAConnectedOneIsTriedAndElseThatWhichFailedFirst) {
  for (const size_t endpoint : {2, 0, 1}) {
    now += Milliseconds(1);
    Fail(endpoint);
  }
  EXPECT_EQ(Choose(), 2u);
  disconnected = {2};
  EXPECT_EQ(Choose(), 0u);
  disconnected = {0, 1, 2};
  EXPECT_EQ(Choose(), 2u);
}

TEST_F(EndpointHealthTest, SilenceIsAFailureAfterASecondWithoutAnAnswer) {
  static_cast<void>(Choose());
  now += Milliseconds(300);
  health.OnSilence(1, now);
  EXPECT_EQ(Choose(), 1u);
  now += Milliseconds(700);
  health.OnSilence(1, now);
  EXPECT_EQ(Choose(), 2u);
}

TEST_F(EndpointHealthTest, AnAnswerBreaksTheSilence) {
  static_cast<void>(Choose());
  now += Milliseconds(900);
  health.OnAnswer(1);
  static_cast<void>(Choose());
  now += Milliseconds(900);
  health.OnSilence(1, now);
  EXPECT_EQ(Choose(), 1u);
}

}  // namespace
}  // namespace hapax::client
