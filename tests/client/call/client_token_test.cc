#include "hapax/client/call/client_token.h"

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/timing.h"

namespace hapax::client {
namespace {

using ::testing::MatchesRegex;

TEST(NewClientToken, IsAVersion7UuidThatAServerTakes_C2) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(NewClientToken(absl::Now()),
                MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  }
}

TEST(NewClientToken, CarriesItsTimeInMilliseconds) {
  const std::string token = NewClientToken(absl::FromUnixMillis(0x0123456789AB));
  EXPECT_EQ(token.substr(0, 13), "01234567-89ab");
}

TEST(NewClientToken, OrdersByTime) {
  const absl::Time now = absl::FromUnixMillis(1'700'000'000'000);
  EXPECT_LT(NewClientToken(now), NewClientToken(now + absl::Milliseconds(1)));
}

TEST(NewClientToken, IsNewEveryTimeAtOneInstant) {
  const absl::Time now = absl::FromUnixMillis(1'700'000'000'000);
  std::set<std::string> tokens;
  for (int i = 0; i < 10'000; ++i) tokens.insert(NewClientToken(now));
  EXPECT_EQ(tokens.size(), 10'000u);
}

// Workers that are forked off copy whatever generator their parent has drawn from.
TEST(NewClientToken, IsAnotherOneInEveryForkedWorker) {
  constexpr int kWorkers = 8;
  constexpr int kTokens = 40;
  constexpr size_t kTokenSize = 36;
  const absl::Time now = absl::FromUnixMillis(1'700'000'000'000);
  std::set<std::string> tokens = {NewClientToken(now)};
  // Without their times, which may differ.
  const auto random_part = [] { return SystemTiming().NewToken().substr(14); };
  std::set<std::string> random_parts = {random_part()};
  static_cast<void>(SystemTiming().RandomUpTo(absl::Seconds(1)));

  for (int worker = 0; worker < kWorkers; ++worker) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      std::string drawn;
      for (int i = 0; i < kTokens; ++i) drawn += NewClientToken(now) + random_part();
      _exit(write(ends[1], drawn.data(), drawn.size()) == static_cast<ssize_t>(drawn.size()) ? 0 : 1);
    }
    close(ends[1]);
    std::string drawn;
    char bytes[512];
    for (ssize_t got = 0; (got = read(ends[0], bytes, sizeof(bytes))) > 0;)
      drawn.append(bytes, static_cast<size_t>(got));
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    constexpr size_t kBoth = kTokenSize + (kTokenSize - 14);
    ASSERT_EQ(drawn.size(), kTokens * kBoth);
    for (size_t at = 0; at < drawn.size(); at += kBoth) {
      tokens.insert(drawn.substr(at, kTokenSize));
      random_parts.insert(drawn.substr(at + kTokenSize, kTokenSize - 14));
    }
  }
  EXPECT_EQ(tokens.size(), 1u + kWorkers * kTokens);
  EXPECT_EQ(random_parts.size(), 1u + kWorkers * kTokens);
}

TEST(IsClientToken, Is1To64PrintableCharacters_C2) {
  for (const std::string& good : {std::string("a"), std::string("!~"), std::string(64, 'x')}) {
    EXPECT_TRUE(IsClientToken(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a\n"),
                                 std::string("\x7f"), std::string("\xc3\xa4"), std::string(1, '\0')}) {
    EXPECT_FALSE(IsClientToken(bad)) << bad;
  }
}

// Of Python's uuid.uuid5(uuid.UUID(parent), step).
TEST(ChildToken, IsTheVersion5UuidOfTheStepInTheParentsNamespace) {
  const std::string dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  EXPECT_EQ(ChildToken(dns, "python.org"), "886313e1-3b8a-5372-9b90-0c9aee199e5d");
  EXPECT_EQ(ChildToken(dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");  // RFC 9562, appendix A.4.
  EXPECT_EQ(ChildToken("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "python.org"), "886313e1-3b8a-5372-9b90-0c9aee199e5d");
  const std::string job = "018f4e9a-7c3b-7d21-8a5e-2f6b9c0d1e2f";
  EXPECT_EQ(ChildToken(job, ""), "4a28a14b-5e5e-5fb9-a669-37ac7ac11574");
  EXPECT_EQ(ChildToken(job, "launch"), "fff77927-e2ca-5531-a934-c015fdb1a4e9");
  EXPECT_EQ(ChildToken(job, "\xc3\xa4 step"), "f00f70c4-f7c8-5b5e-804f-690e072f01ad");
  EXPECT_EQ(ChildToken(job, std::string(200, 'x')), "2aae8b9d-7356-5ec1-ba3b-7c7f54f5fd2c");
}

TEST(ChildToken, OfAParentThatIsNoUuidIsAVersion5UuidAsWell) {
  for (const std::string& parent :
       {std::string("nightly-job-2026-11-23"), std::string(), std::string(64, 'x'),
        std::string("6ba7b810-9dad-11d1-80b4-00c04fd430cg"), std::string("6ba7b810-9dad-11d1-80b4+00c04fd430c8"),
        std::string("6ba7b8109dad11d180b400c04fd430c8")}) {
    const std::string token = ChildToken(parent, "step");
    EXPECT_THAT(token, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_TRUE(IsClientToken(token));
  }
  // For ever: a job that is taken up again by a newer program repeats nothing. Python:
  // uuid5(uuid5(UUID("5d8b0c1f-2e4a-4d67-9b3e-61c4f07a92d8"), parent), step).
  EXPECT_EQ(ChildToken("nightly-job-2026-11-23", "launch"), "79cb02e3-ccc1-5d7e-8e89-d36483a40e73");
  EXPECT_EQ(ChildToken("", "launch"), "5c83de49-f989-5d59-9229-b4ebe54b71de");
}

TEST(ChildToken, IsAnotherOneForAnotherParentOrStep) {
  std::set<std::string> tokens;
  int asked = 0;
  for (const char* const parent : {"job-1", "job-2", "job-", "", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}) {
    for (const char* const step : {"1", "2", "1-1", "", "step"}) {
      ++asked;
      tokens.insert(ChildToken(parent, step));
      EXPECT_EQ(ChildToken(parent, step), ChildToken(parent, step));
    }
  }
  EXPECT_EQ(tokens.size(), asked);
  EXPECT_NE(ChildToken(ChildToken("job", "a"), "b"), ChildToken(ChildToken("job", "b"), "a"));
}

}  // namespace
}  // namespace hapax::client
