#include "hapax/server/hosting/admin_service.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "hapax/admin/v1/admin.pb.h"
#include "hapax/base/check.h"
#include "hapax/tests/support/fake_call.h"

namespace hapax {
namespace {

constexpr char kDirectory[] = "backups";

// A store whose backups take until they are released, or cancelled.
class SlowBackups final : public Store {
 public:
  void Execute(Body /*body*/, Done /*done*/, std::string_view /*party*/) override {
    HAPAX_CHECK(false, "not for backups");
  }
  void Query(ReadBody /*body*/, Done /*done*/) override { HAPAX_CHECK(false, "not for backups"); }
  [[nodiscard]] absl::StatusOr<Backup> CreateBackup(const std::string& backup_dir,
                                                    const std::atomic<bool>& cancelled) override {
    EXPECT_EQ(backup_dir, kDirectory);
    if (!started.HasBeenNotified()) started.Notify();
    while (!released.WaitForNotificationWithTimeout(absl::Milliseconds(1))) {
      if (cancelled) return absl::CancelledError("cancelled");
    }
    return Backup{.id = 7, .created = absl::FromUnixSeconds(1'000'000'000), .size_bytes = 8};
  }

  [[nodiscard]] absl::StatusOr<BackupList> ListBackups(const std::string& backup_dir) const override {
    EXPECT_EQ(backup_dir, kDirectory);
    return BackupList();
  }

  absl::Notification started;
  absl::Notification released;
};

class AdminServiceTest : public testing::Test {
 protected:
  AdminServiceTest() { Host(kDirectory); }

  void Host(const std::string& backup_dir) {
    service_ = std::make_unique<AdminService>(store_, backup_dir);
    hosted_ = service_->Host();
    HAPAX_CHECK(hosted_->Compile().ok(), "its declaration is good");
  }
  std::unique_ptr<FakeCall> Start(const std::string& name) {
    const auto method =
        std::find_if(hosted_->methods().begin(), hosted_->methods().end(),
                     [&](const Method& candidate) { return candidate.name == "hapax.admin.v1.Admin/" + name; });
    auto call = std::make_unique<FakeCall>(*method, "");
    call->Decode();
    method->serve(*call);
    return call;
  }

  SlowBackups store_;
  std::unique_ptr<AdminService> service_;
  std::unique_ptr<HostedService> hosted_;
};

TEST_F(AdminServiceTest, ABackupIsAnsweredWhenItIsMade) {
  const auto call = Start("CreateBackup");
  store_.started.WaitForNotification();
  EXPECT_FALSE(call->ended()) << "the thread that calls is not held up, and not told too soon";
  store_.released.Notify();
  EXPECT_EQ(call->Result(), "ok");
  admin::v1::CreateBackupResponse response;
  ASSERT_TRUE(response.ParseFromString(*call->Reply()));
  EXPECT_EQ(response.backup().backup_id(), 7u);
  EXPECT_EQ(response.backup().create_time().seconds(), 1'000'000'000);
  EXPECT_EQ(response.backup().size_bytes(), 8u);
}

TEST_F(AdminServiceTest, OneIsMadeAtATime) {
  const auto first = Start("CreateBackup");
  store_.started.WaitForNotification();
  EXPECT_EQ(Start("CreateBackup")->Result(), "OVERLOADED");
  EXPECT_EQ(Start("ListBackups")->Result(), "ok") << "others are answered meanwhile";
  store_.released.Notify();
  EXPECT_EQ(first->Result(), "ok");
  EXPECT_EQ(Start("CreateBackup")->Result(), "ok");
}

TEST_F(AdminServiceTest, ClosedItCancelsTheBackupThatIsBeingMadeAndMakesNoOther) {
  const auto call = Start("CreateBackup");
  store_.started.WaitForNotification();
  service_->Close();
  EXPECT_EQ(call->Result(), "TOKEN_STORE_UNAVAILABLE");
  EXPECT_EQ(Start("CreateBackup")->Result(), "TOKEN_STORE_UNAVAILABLE");
}

TEST_F(AdminServiceTest, ItsEndCancelsTheBackupThatIsBeingMade) {
  const auto call = Start("CreateBackup");
  store_.started.WaitForNotification();
  service_.reset();
  EXPECT_EQ(call->Result(), "TOKEN_STORE_UNAVAILABLE");
}

TEST_F(AdminServiceTest, WithoutADirectoryAllIsRefused) {
  Host("");
  EXPECT_EQ(Start("CreateBackup")->Result(), "PERMISSION_DENIED");
  EXPECT_EQ(Start("ListBackups")->Result(), "PERMISSION_DENIED");
}

}  // namespace
}  // namespace hapax
