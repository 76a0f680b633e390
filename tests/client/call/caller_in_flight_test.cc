#include <atomic>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/tests/client/wire/echo_server.h"
#include "hapax/tests/support/status_matchers.h"

// Asynchronous calls over a real connection: many at a time, and Callers that go while calls are in flight.
namespace hapax::client {
namespace {

using ::absl::StatusCode;

constexpr int kMany = 2000;

RawCall CallOf(const std::string& method, int number) {
  return {.method = "t.T/" + method, .request = absl::StrCat(number), .token = absl::StrCat("token-", number)};
}

RetryPolicy Persistent() {
  return {.timeout = absl::Minutes(5), .attempt_timeout = absl::Minutes(5), .initial_backoff = absl::Milliseconds(1)};
}

size_t Threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

// How each of many calls ended.
class Ends {
 public:
  auto Of(int number) {
    return [this, number](const Result<std::string>& end) {
      const bool right = end.reply.ok() && *end.reply == absl::StrCat(number);
      absl::MutexLock lock(&mu_);
      ++count_;
      if (right) ++right_;
      if (end.reply.status().code() == StatusCode::kCancelled) ++cancelled_;
      attempts_ += end.info.attempts;
    };
  }
  void WaitFor(int count) {
    absl::MutexLock lock(&mu_);
    const auto all = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return count_ >= count; };
    mu_.Await(absl::Condition(&all));
  }
  [[nodiscard]] int count() const { return Get(count_); }
  [[nodiscard]] int right() const { return Get(right_); }
  [[nodiscard]] int cancelled() const { return Get(cancelled_); }
  [[nodiscard]] int attempts() const { return Get(attempts_); }

 private:
  int Get(const int& number) const {
    absl::MutexLock lock(&mu_);
    return number;
  }

  mutable absl::Mutex mu_;
  int count_ = 0;  // These are guarded by it.
  int right_ = 0;
  int cancelled_ = 0;
  int attempts_ = 0;
};

TEST(CallsInFlight, ThousandsHoldFewThreads) {
  EchoServer server;
  Ends ends;
  Caller caller(ConnectTo(server.port()));
  EXPECT_THAT(caller.CallRaw(CallOf("Echo", 0), Persistent()).reply, IsOk());
  const size_t before = Threads();
  for (int i = 0; i < kMany; ++i) caller.StartRaw(CallOf("Hold", i), Persistent(), ends.Of(i));
  server.WaitUntilHeld(kMany);
  EXPECT_LT(Threads(), before + 50) << "client and server of this process";
  server.LetGo();
  ends.WaitFor(kMany);
  EXPECT_EQ(ends.right(), kMany);
}

TEST(CallsInFlight, AreRetriedWithTheirTokensUntilTheServerAnswers) {
  EchoServer server;
  Ends ends;
  Caller caller(ConnectTo(server.port()), {.retry = Persistent(), .budget = {.capacity = 10 * kMany}});
  for (int i = 0; i < kMany; ++i) caller.StartRaw(CallOf("FailFirst", i), Persistent(), ends.Of(i));
  ends.WaitFor(kMany);
  EXPECT_EQ(ends.right(), kMany);
  EXPECT_EQ(ends.attempts(), 2 * kMany);
  EXPECT_EQ(server.attempts, 2 * kMany);
}

TEST(CallsInFlight, EndOnceEachWhenTheCallerGoes) {
  EchoServer server;
  Ends ends;
  auto caller = std::make_unique<Caller>(ConnectTo(server.port()));
  for (int i = 0; i < kMany; ++i) caller->StartRaw(CallOf("Hold", i), Persistent(), ends.Of(i));
  server.WaitUntilHeld(kMany / 2);
  caller.reset();
  EXPECT_EQ(ends.count(), kMany);
  EXPECT_EQ(ends.cancelled(), kMany);
}

TEST(CallsInFlight, EndOnceEachWhetherTheyAreAnsweredOrCancelledAtThatMoment) {
  EchoServer server;
  for (int round = 0; round < 20; ++round) {
    constexpr int kFew = 50;
    Ends ends;
    auto caller = std::make_unique<Caller>(ConnectTo(server.port()));
    std::vector<CallHandle> handles;
    for (int i = 0; i < kFew; ++i) handles.push_back(caller->StartRaw(CallOf("Echo", i), Persistent(), ends.Of(i)));
    std::thread canceller([&] {
      for (const CallHandle& handle : handles) handle.Cancel();
    });
    if (round % 2 == 0) canceller.join();
    caller.reset();
    EXPECT_EQ(ends.count(), kFew);
    EXPECT_EQ(ends.right() + ends.cancelled(), kFew);
    if (canceller.joinable()) canceller.join();
  }
}

TEST(CallsInFlight, ACallbackIsDestroyedBeforeTheCallerIsGone) {
  EchoServer server;
  std::atomic<bool> destroyed = false;
  const auto tell = [&destroyed](int*) { destroyed = true; };
  int kept = 0;
  auto caller = std::make_unique<Caller>(ConnectTo(server.port()));
  caller->StartRaw(CallOf("Echo", 0), Persistent(),
                   [held = std::unique_ptr<int, decltype(tell)>(&kept, tell)](const Result<std::string>&) {});
  caller.reset();
  EXPECT_TRUE(destroyed);
}

TEST(CallsInFlight, AHandleOutlivesTheCaller) {
  EchoServer server;
  Ends ends;
  CallHandle handle;
  {
    Caller caller(ConnectTo(server.port()));
    handle = caller.StartRaw(CallOf("Hold", 0), Persistent(), ends.Of(0));
  }
  handle.Cancel();
  EXPECT_EQ(ends.count(), 1);
}

TEST(CallsInFlightDeathTest, ACallerThatGoesInItsOwnCallbackWouldWaitForItself) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        EchoServer server;
        auto* const caller = new Caller(ConnectTo(server.port()));
        absl::Notification never;
        caller->StartRaw(CallOf("Echo", 0), Persistent(), [&](const Result<std::string>&) { delete caller; });
        never.WaitForNotification();
      },
      "must not be destroyed in a callback of its own");
}

}  // namespace
}  // namespace hapax::client
