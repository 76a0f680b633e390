#include "hapax/interceptors/limits/scheduling.h"

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::ElementsAre;

constexpr size_t kSmall = 16 << 10;
constexpr size_t kLarge = kSmall + 1;

// Ends each call, and remembers whose it was and on which thread. A tenant named "blocker" has its call wait.
class Last final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next /*next*/) override {
    if (call.principal.tenant == "blocker") {
      blocking_.Notify();
      go_on_.WaitForNotification();
    }
    thread_ = std::this_thread::get_id();
    tenants_.push_back(call.principal.tenant);
    call.Finish("reply");
  }
  void WaitUntilBlocked() { blocking_.WaitForNotification(); }
  void Unblock() { go_on_.Notify(); }
  [[nodiscard]] std::thread::id thread() const { return thread_; }
  [[nodiscard]] const std::vector<std::string>& tenants() const { return tenants_; }

 private:
  absl::Notification blocking_;
  absl::Notification go_on_;
  std::thread::id thread_;
  std::vector<std::string> tenants_;
};

class SchedulingTest : public testing::Test {
 protected:
  SchedulingTest() {
    std::vector<std::unique_ptr<UnaryInterceptor>> links;
    links.push_back(std::make_unique<Scheduling>(Scheduling::kReplies, /*threads=*/1));
    links.push_back(std::make_unique<Last>());
    last_ = static_cast<Last*>(links.back().get());
    chain_ = std::make_unique<Chain>(std::move(links));
  }

  std::unique_ptr<FakeCall> Start(const std::string& tenant, size_t bytes) {
    auto call = std::make_unique<FakeCall>(method_, std::string(bytes, 'x'));
    call->principal.tenant = tenant;
    chain_->Run(*call);
    return call;
  }

  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  Last* last_ = nullptr;  // In the chain.
  std::unique_ptr<Chain> chain_;
};

TEST_F(SchedulingTest, ASmallRequestGoesOnOnItsThreadInTurnsOfTheTenants) {
  const auto call = Start("tenant", kSmall);
  EXPECT_EQ(call->party(), "tenant");
  EXPECT_EQ(call->Result(), "ok");
  EXPECT_EQ(last_->thread(), std::this_thread::get_id());
}

TEST_F(SchedulingTest, ASmallRequestWaitsForItsTenantsTurn) {
  FakeCall call(method_, "");
  call.principal.tenant = "tenant";
  call.LetNoTurnCome();
  chain_->Run(call);
  EXPECT_EQ(call.party(), "tenant");
  EXPECT_FALSE(call.ended());
  call.Finish("reply");
}

TEST_F(SchedulingTest, C32_ALargeRequestKeepsNoEventThread) {
  const auto call = Start("tenant", kLarge);
  EXPECT_EQ(call->Result(), "ok");
  EXPECT_EQ(call->party(), "");
  EXPECT_NE(last_->thread(), std::this_thread::get_id());
}

TEST_F(SchedulingTest, C32_LargeRequestsTakeTurnsByBytes) {
  std::vector<std::unique_ptr<FakeCall>> calls;
  calls.push_back(Start("blocker", kLarge));
  last_->WaitUntilBlocked();
  for (int i = 0; i < 2; ++i) calls.push_back(Start("large", 40 * kLarge));
  for (int i = 0; i < 3; ++i) calls.push_back(Start("less", 16 * kLarge));
  last_->Unblock();
  for (const auto& call : calls) EXPECT_EQ(call->Result(), "ok");
  EXPECT_THAT(last_->tenants(), ElementsAre("blocker", "less", "less", "large", "less", "large"));
}

// Freeing what a large one consists of may take as long as parsing it.
TEST_F(SchedulingTest, C32_ALargeRequestIsNotFreedWithItsCall) {
  auto call = Start("blocker", kLarge);
  last_->WaitUntilBlocked();
  call->request = std::make_unique<tests::v1::CountOrdersRequest>();
  last_->Unblock();
  EXPECT_EQ(call->Result(), "ok");
  EXPECT_EQ(call->request, nullptr);
}

TEST_F(SchedulingTest, C32_TheTransportIsToldOfTheReplysBudget) {
  EXPECT_NE(Start("tenant", kSmall)->reply_budget, nullptr);
  const auto large = Start("tenant", kLarge);
  EXPECT_EQ(large->Result(), "ok");
  EXPECT_NE(large->reply_budget, nullptr);
}

}  // namespace
}  // namespace hapax
