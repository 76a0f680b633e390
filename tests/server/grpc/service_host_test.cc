#include "hapax/server/grpc/service_host.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/raw_stream.h"
#include "hapax/tests/server/support/service_host_fixture.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using testing::HasSubstr;

TEST_F(ServiceHostTest, ACallGoesThroughTheChainAsBytes) {
  const auto pending = Client().Start(kDeposit, "any bytes", {{"key", "value"}, {"key", "another"}});
  UnaryCall& call = holding_->Take();
  EXPECT_EQ(call.method().name, "hapax.test.v1.Ledger/Deposit");
  EXPECT_EQ(call.request_bytes(), "any bytes");
  EXPECT_THAT(call.Metadata("key"), testing::ElementsAre("value", "another"));
  EXPECT_THAT(call.Metadata("other"), testing::IsEmpty());
  EXPECT_EQ(call.deadline(), absl::InfiniteFuture());
  EXPECT_FALSE(call.IsCancelled());
  call.Finish(std::string("any reply"));
  const RawReply reply = pending->Wait();
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.bytes, "any reply");
}

TEST_F(ServiceHostTest, ACallKnowsItsDeadline) {
  const absl::Time before = absl::Now();
  const auto pending = Client().Start(kDeposit, "", {}, absl::Hours(1));
  UnaryCall& call = holding_->Take();
  // gRPC sends what is left in a few digits, rounded up.
  EXPECT_GT(call.deadline(), before + absl::Minutes(59));
  EXPECT_LT(call.deadline(), absl::Now() + absl::Minutes(61));
  call.Finish(std::string());
  EXPECT_TRUE(pending->Wait().status.ok());
}

TEST_F(ServiceHostTest, C19ACallLearnsThatItsClientCancelled) {
  const auto pending = Client().Start(kDeposit, "");
  UnaryCall& call = holding_->Take();
  pending->Cancel();
  EXPECT_EQ(pending->Wait().status.error_code(), grpc::StatusCode::CANCELLED);
  while (!call.IsCancelled()) std::this_thread::yield();  // The news is on its way.
  call.Finish(std::string("too late"));
}

TEST_F(ServiceHostTest, C32_ALargeReplyTakesItsBytesUntilItIsSent) {
  constexpr size_t kBytes = size_t{2} << 20;
  MessageBudget budget({.bytes = 2 * kBytes, .max_message_bytes = kBytes});
  const auto pending = Client().Start(kDeposit, "request");
  UnaryCall& call = holding_->Take();
  call.principal.tenant = "tenant";
  call.reply_budget = &budget;
  call.Finish(std::string(kBytes, 'x'));
  absl::Notification sent;
  budget.Reserve("tenant", [&] { sent.Notify(); });
  EXPECT_EQ(pending->Wait().bytes.size(), kBytes);
  sent.WaitForNotification();
  host_->Drain(absl::ZeroDuration());  // Before the budget is gone.
}

TEST_F(ServiceHostTest, C32_ALargeReplyThatIsNotReadTakesItsBytesUntilItsClientIsGone) {
  constexpr size_t kBytes = size_t{32} << 20;
  MessageBudget budget({.bytes = 2 * kBytes, .max_message_bytes = kBytes});
  absl::Notification gone;
  {
    RawStream stream(Client(), kDeposit);
    stream.Write("request");
    UnaryCall& call = holding_->Take();
    call.principal.tenant = "tenant";
    call.reply_budget = &budget;
    call.Finish(std::string(kBytes, 'x'));
    EXPECT_EQ(budget.taken(), static_cast<int64_t>(kBytes));
    budget.Reserve("tenant", [&] { gone.Notify(); });
    EXPECT_FALSE(gone.HasBeenNotified());
  }
  gone.WaitForNotification();
  host_->Drain(absl::ZeroDuration());
}

TEST_F(ServiceHostTest, AnAddressThatIsTakenOrNoneIsRefusedByName) {
  for (const std::string& address :
       {"127.0.0.1:" + std::to_string(host_->port()), std::string("127.0.0.1:port"), std::string("nonsense")}) {
    EXPECT_THAT(ServiceHost::Start({.listen_address = address}, {&service_.hosted()}, chain_),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)));
  }
}

TEST_F(ServiceHostTest, DrainLetsARunningCallFinishAndTakesNoOther) {
  const auto pending = Client().Start(kDeposit, "");
  UnaryCall& running = holding_->Take();
  std::thread drain([this] { host_->Drain(absl::InfiniteDuration()); });
  // New clients are turned away from some moment on. Those before it are served.
  for (bool served = true; served;) {
    const auto next = Client().Start("/grpc.health.v1.Health/Check", "");
    served = next->Wait().status.ok();
  }
  running.Finish(std::string("finished"));
  const RawReply reply = pending->Wait();
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.bytes, "finished");
  drain.join();
}

TEST_F(ServiceHostTest, DrainCancelsWhatStillRunsAfterItsTime) {
  const auto pending = Client().Start(kDeposit, "");
  UnaryCall& running = holding_->Take();
  std::thread drain([this] { host_->Drain(absl::ZeroDuration()); });
  EXPECT_FALSE(pending->Wait().status.ok());
  while (!running.IsCancelled()) std::this_thread::yield();
  running.Finish(std::string("too late"));  // Drain waits for that.
  drain.join();
}

TEST_F(ServiceHostTest, DrainMayBeCalledAgainAndThePortIsFreeAfterwards) {
  const std::string address = "127.0.0.1:" + std::to_string(host_->port());
  host_->Drain(absl::InfiniteDuration());
  host_->Drain(absl::InfiniteDuration());
  EXPECT_THAT(ServiceHost::Start({.listen_address = address}, {&service_.hosted()}, chain_), IsOk());
}

}  // namespace
}  // namespace hapax
