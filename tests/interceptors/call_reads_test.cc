#include "hapax/interceptors/call_reads.h"

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

constexpr Table kTable = Table::kResources;
constexpr int64_t kMax = 100'000;
constexpr size_t kLarge = 60'000;

// Rows `small` and `large`, and room for two large replies.
class CallReadsTest : public testing::Test {
 protected:
  CallReadsTest() {
    EXPECT_THAT(Execute(*store_,
                        [](Transaction& txn) {
                          txn.Put(kTable, "small", "value");
                          txn.Put(kTable, "large", std::string(kLarge, 'x'));
                          return absl::OkStatus();
                        }),
                IsOk());
  }

  // A call of the tenant's that ends with the row.
  std::unique_ptr<FakeCall> Read(const std::string& tenant, std::string_view key) {
    auto call = std::make_unique<FakeCall>(method_, "");
    call->principal.tenant = tenant;
    reads_.Query(*call, BodyOf(key), EndOf(*call));
    return call;
  }
  Store::ReadBody BodyOf(std::string_view key) {
    return [this, key](const ReadTransaction& txn) -> absl::Status {
      auto value = txn.Get(kTable, key);
      if (!value.ok()) return value.status();
      read_ = **std::move(value);
      return absl::OkStatus();
    };
  }
  Store::Done EndOf(FakeCall& call) {
    return [this, &call](const absl::Status& status) {
      thread_ = std::this_thread::get_id();
      status.ok() ? call.Finish(read_) : call.Finish(status);
    };
  }
  [[nodiscard]] bool WasReadHere() const { return thread_ == std::this_thread::get_id(); }

  const TempDir dir_;
  const std::unique_ptr<Store> store_ = OpenRocksDbStore({.path = dir_.Path("data")}).value();
  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  std::string read_;
  std::thread::id thread_;
  MessageBudget budget_{{.bytes = 2 * kMax, .max_message_bytes = kMax}};
  WorkerPool workers_{1, 4};
  const CallReads reads_{*store_, budget_, workers_};
};

TEST_F(CallReadsTest, WhatIsShortIsReadAtOnceOnTheThreadThatAsks) {
  const auto call = Read("tenant", "small");
  ASSERT_TRUE(call->ended());
  EXPECT_EQ(*call->Reply(), "value");
  EXPECT_TRUE(WasReadHere());
}

TEST_F(CallReadsTest, C32_WhatIsLongIsReadByAWorker) {
  const auto call = Read("tenant", "large");
  EXPECT_EQ(call->Reply()->size(), kLarge);
  EXPECT_FALSE(WasReadHere());
}

TEST_F(CallReadsTest, C32_WhoHasALargeReplyUnderWayReadsByWorkers) {
  budget_.Take("tenant", kLarge);
  EXPECT_EQ(*Read("tenant", "small")->Reply(), "value");
  EXPECT_FALSE(WasReadHere());
  EXPECT_EQ(*Read("another", "small")->Reply(), "value");
  EXPECT_TRUE(WasReadHere());
  budget_.Return("tenant", kLarge);
  EXPECT_EQ(*Read("tenant", "small")->Reply(), "value");
  EXPECT_TRUE(WasReadHere());
}

TEST_F(CallReadsTest, C32_ALargeReplyIsNotReadWhileThereIsNoRoomForIt) {
  budget_.Take("tenant", kMax);
  const auto call = Read("tenant", "large");
  absl::Notification idle;
  workers_.Schedule([&] { workers_.Schedule([&] { idle.Notify(); }, "tenant"); }, "tenant");
  idle.WaitForNotification();
  EXPECT_FALSE(call->ended());
  EXPECT_EQ(Read("another", "large")->Reply()->size(), kLarge);
  budget_.Return("tenant", kMax);
  EXPECT_EQ(call->Reply()->size(), kLarge);
}

TEST_F(CallReadsTest, C32_RoomComesBack) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Read("tenant", "large")->Reply()->size(), kLarge);
  absl::Notification idle;
  workers_.Schedule([&] { idle.Notify(); }, "");
  idle.WaitForNotification();
  EXPECT_EQ(budget_.taken(), 0);
}

// One worker is kept, so that what comes then waits.
TEST_F(CallReadsTest, AListIsNeverReadOnTheThreadThatAsksAndOneTooManyIsRefused) {
  absl::Notification blocked;
  absl::Notification go_on;
  workers_.Schedule(
      [&] {
        blocked.Notify();
        go_on.WaitForNotification();
      },
      "");
  blocked.WaitForNotification();
  std::vector<std::unique_ptr<FakeCall>> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(std::make_unique<FakeCall>(method_, ""));
    calls.back()->principal.tenant = "tenant";
    reads_.QueryLong(*calls.back(), BodyOf("small"), EndOf(*calls.back()));
  }
  EXPECT_EQ(calls[2]->Result(), "OVERLOADED");
  EXPECT_FALSE(calls[0]->ended());
  go_on.Notify();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(*calls[i]->Reply(), "value");
  EXPECT_FALSE(WasReadHere());
}

}  // namespace
}  // namespace hapax
