#include "provisioner.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "google/longrunning/operations.pb.h"
#include "gtest/gtest.h"
#include "hapax/testing/test_host.h"
#include "provision/v1/provision.pb.h"

// Tests of the service, its work and its operations with the kit of docs/testing_your_service.md.
namespace {

using google::longrunning::GetOperationRequest;
using google::longrunning::Operation;
using hapax::TestHost;
using hapax::TestReply;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace provision::v1;

// The driver, observed: the tests wait for its first failure.
class WatchedDriver final : public hapax::WorkDriver {
 public:
  explicit WatchedDriver(std::unique_ptr<hapax::WorkDriver> driver) : driver_(std::move(driver)) {}

  // Returns false if there is none within a minute.
  [[nodiscard]] bool AwaitFailure() { return has_failed_.WaitForNotificationWithTimeout(absl::Minutes(1)); }

  void Perform(const std::string& subject, Done done) override {
    driver_->Perform(subject, [this, done = std::move(done)](absl::Status result) mutable {
      if (!result.ok() && !has_failed_.HasBeenNotified()) has_failed_.Notify();
      done(std::move(result));
    });
  }
  absl::Status Complete(const std::string& subject, const absl::Status& result, hapax::Transaction& txn) override {
    return driver_->Complete(subject, result, txn);
  }

 private:
  absl::Notification has_failed_;
  const std::unique_ptr<hapax::WorkDriver> driver_;  // The last member: its threads end first.
};

class ProvisionerTest : public testing::Test {
 protected:
  ProvisionerTest() {
    std::string dir = testing::TempDir() + "/provision.XXXXXX";
    if (mkdtemp(dir.data()) != nullptr) disk_ = dir + "/disk";
  }
  void SetUp() override {
    ASSERT_FALSE(disk_.empty());
    Start();
  }
  void TearDown() override {
    host_->Stop();
    driver_ = nullptr;  // Its threads may still make a directory.
    std::filesystem::remove_all(disk_.parent_path());
  }

  void MakeDisk() { std::filesystem::create_directory(disk_); }

  // Ends the host, and starts another on its rows.
  void Restart() {
    host_->Stop();
    const std::shared_ptr<hapax::MemoryTables> tables = host_->tables();
    service_ = nullptr;
    driver_ = nullptr;
    host_ = nullptr;
    host_ = std::make_unique<TestHost>(hapax::TestHostOptions{.tables = tables, .clock = &clock_});
    Start();
  }

  TestReply<Operation> Create(const std::string& name, const std::string& token) {
    CreateDatabaseRequest request;
    request.set_name(name);
    return host_->Call<Operation>(request, {.token = token});
  }
  Operation Get(const std::string& operation) {
    GetOperationRequest request;
    request.set_name(operation);
    return host_->Call<Operation>(request).reply;
  }
  TestReply<GetDatabaseResponse> GetDatabase(const std::string& name, const std::string& tenant = "default") {
    GetDatabaseRequest request;
    request.set_name(name);
    return host_->Call<GetDatabaseResponse>(request, {.tenant = tenant});
  }
  DatabaseState StateOf(const std::string& name) { return GetDatabase(name).reply.database().state(); }

  std::filesystem::path disk_;  // Not there before MakeDisk.
  hapax::ManualClock clock_;
  std::unique_ptr<TestHost> host_ = std::make_unique<TestHost>(hapax::TestHostOptions{.clock = &clock_});
  std::unique_ptr<WatchedDriver> driver_;
  std::unique_ptr<hapax::HostedService> service_;

 private:
  void Start() {
    driver_ = std::make_unique<WatchedDriver>(MakeCreateDriver(disk_, host_->operations()));
    service_ = MakeProvisioner(host_->work(), host_->operations());
    host_->AddDriver(kCreateWork, service_->descriptor().full_name(), *driver_);
    ASSERT_TRUE(host_->Start({service_.get()}).ok());
  }
};

TEST_F(ProvisionerTest, ARetryGetsTheOperationAsItStands) {
  const auto begun = Create("orders", "first");
  EXPECT_EQ(begun.outcome, "executed");
  EXPECT_FALSE(begun.reply.done());
  EXPECT_EQ(StateOf("orders"), DATABASE_STATE_CREATING);
  const auto early = Create("orders", "first");
  EXPECT_EQ(early.outcome, "replayed");
  EXPECT_EQ(early.reply.name(), begun.reply.name());
  EXPECT_FALSE(early.reply.done());

  MakeDisk();
  ASSERT_TRUE(host_->AwaitWork().ok());
  const auto again = Create("orders", "first");
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_EQ(again.reply.name(), begun.reply.name());
  EXPECT_TRUE(again.reply.done());
  Database made;
  EXPECT_TRUE(again.reply.response().UnpackTo(&made));
  EXPECT_EQ(made.name(), "orders");
  EXPECT_EQ(StateOf("orders"), DATABASE_STATE_READY);
  EXPECT_TRUE(std::filesystem::is_directory(disk_ / "default.orders"));
  // Bodies and completions were run twice.
  EXPECT_THAT(host_->unrepeatable(), IsEmpty());
}

TEST_F(ProvisionerTest, WorkIsTriedAgainUntilTheDiskIsThere) {
  const auto begun = Create("orders", "first");
  ASSERT_TRUE(driver_->AwaitFailure());
  EXPECT_EQ(StateOf("orders"), DATABASE_STATE_CREATING);
  EXPECT_FALSE(Get(begun.reply.name()).done());
  MakeDisk();
  EXPECT_TRUE(host_->AwaitWork().ok());
  EXPECT_TRUE(Get(begun.reply.name()).has_response());
  EXPECT_EQ(StateOf("orders"), DATABASE_STATE_READY);
}

TEST_F(ProvisionerTest, WorkThatCannotBeDoneEndsItsOperationWithTheError) {
  MakeDisk();
  std::ofstream(disk_ / "default.orders") << "a file";
  const auto begun = Create("orders", "first");
  EXPECT_TRUE(host_->AwaitWork().ok());
  const Operation failed = Get(begun.reply.name());
  EXPECT_TRUE(failed.done());
  EXPECT_EQ(failed.error().code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(failed.error().message(), "something else is in the database's place");
  EXPECT_EQ(StateOf("orders"), DATABASE_STATE_FAILED);
}

TEST_F(ProvisionerTest, ADirectoryThatAnEarlierTryMadeIsTakenForMade) {
  MakeDisk();
  std::filesystem::create_directory(disk_ / "default.orders");
  EXPECT_EQ(Create("orders", "first").outcome, "executed");
  EXPECT_TRUE(host_->AwaitWork().ok());
  EXPECT_EQ(StateOf("orders"), DATABASE_STATE_READY);
}

TEST_F(ProvisionerTest, WorkThatAServerLeftIsDoneByTheNext) {
  const auto begun = Create("orders", "first");
  EXPECT_THAT(std::string(host_->AwaitWork(absl::Milliseconds(1)).message()),
              AllOf(HasSubstr(kCreateWork), HasSubstr("orders")));
  Restart();
  MakeDisk();
  EXPECT_TRUE(host_->AwaitWork().ok());
  EXPECT_TRUE(Get(begun.reply.name()).has_response());
  EXPECT_EQ(Create("orders", "first").outcome, "replayed");
}

TEST_F(ProvisionerTest, ARefusedCallLeavesNoWork) {
  const auto refused = Create("Orders", "first");
  EXPECT_EQ(refused.reason, "INVALID_PARAMETER");
  EXPECT_EQ(refused.status.message(), "name: must be 1 to 32 lower-case letters");
  EXPECT_TRUE(host_->AwaitWork(absl::ZeroDuration()).ok());
}

TEST_F(ProvisionerTest, ANameIsTakenWithinItsTenant) {
  EXPECT_EQ(Create("orders", "first").outcome, "executed");
  EXPECT_EQ(Create("orders", "second").status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(GetDatabase("orders", "bakery").status.code(), absl::StatusCode::kNotFound);
}

}  // namespace
