#include "hapax/server/hosting/admin_service.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
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

class ScriptedWork final : public WorkControl {
 public:
  [[nodiscard]] WorkStatus Status() const override { return status; }
  [[nodiscard]] absl::StatusOr<int64_t> RetryParked(std::string_view kind) override {
    asked_kind = std::string(kind);
    if (kind == "test.unknown") return absl::FailedPreconditionError("the kinds that have one are test.work");
    return 7;
  }

  WorkStatus status;
  std::string asked_kind;
};

class AdminServiceTest : public testing::Test {
 protected:
  AdminServiceTest() { Host(kDirectory); }

  void Host(const std::string& backup_dir) {
    service_ = std::make_unique<AdminService>(
        store_, work_,
        AdminService::Options{
            .backup_dir = backup_dir, .version = "1.2.3", .start_time = absl::FromUnixSeconds(1'000'000'000)});
    hosted_ = service_->Host();
    HAPAX_CHECK(hosted_->Compile().ok(), "its declaration is good");
  }
  std::unique_ptr<FakeCall> Start(const std::string& name, const std::string& request = "") {
    const auto method =
        std::find_if(hosted_->methods().begin(), hosted_->methods().end(),
                     [&](const Method& candidate) { return candidate.name == "hapax.admin.v1.Admin/" + name; });
    auto call = std::make_unique<FakeCall>(*method, request);
    call->Decode();
    method->serve(*call);
    return call;
  }

  SlowBackups store_;
  ScriptedWork work_;
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

TEST_F(AdminServiceTest, WithoutADirectoryBackupsAreRefusedAndNothingElse) {
  Host("");
  EXPECT_EQ(Start("CreateBackup")->Result(), "PERMISSION_DENIED");
  EXPECT_EQ(Start("ListBackups")->Result(), "PERMISSION_DENIED");
  EXPECT_EQ(Start("GetStatus")->Result(), "ok");
  EXPECT_EQ(Start("RetryWork")->Result(), "ok");
}

TEST_F(AdminServiceTest, TheStatusTellsOfTheServerAndItsWork) {
  work_.status.damaged_rows = 2;
  work_.status.kinds = {{.kind = "test.idle"},
                        {.kind = "test.work",
                         .running = 1,
                         .waiting = 2,
                         .parked = 3,
                         .failures = 40,
                         .oldest_age = absl::Milliseconds(1'500) + absl::Nanoseconds(1)}};
  work_.status.pieces = {{.kind = "test.work",
                          .subject = std::string("a\0\xFF", 3),
                          .state = WorkState::kParked,
                          .attempts = 10,
                          .last_error = absl::StrCat(std::string(1'000, 'e'), "\xFF"),
                          .created = absl::FromUnixSeconds(5),
                          .since = absl::FromUnixSeconds(6)}};
  const auto call = Start("GetStatus");
  ASSERT_EQ(call->Result(), "ok");
  admin::v1::GetStatusResponse response;
  ASSERT_TRUE(response.ParseFromString(*call->Reply()));
  EXPECT_EQ(response.version(), "1.2.3");
  EXPECT_EQ(response.start_time().seconds(), 1'000'000'000);
  EXPECT_EQ(response.damaged_work_rows(), 2);
  ASSERT_EQ(response.work_kinds_size(), 2);
  EXPECT_FALSE(response.work_kinds(0).has_oldest_age());
  const admin::v1::WorkKind& kind = response.work_kinds(1);
  EXPECT_EQ(kind.open_count(), 6);
  EXPECT_EQ(kind.running_count(), 1);
  EXPECT_EQ(kind.waiting_count(), 2);
  EXPECT_EQ(kind.parked_count(), 3);
  EXPECT_EQ(kind.failure_count(), 40);
  EXPECT_EQ(kind.oldest_age().nanos(), 500'000'000);
  ASSERT_EQ(response.work_pieces_size(), 1);
  const admin::v1::WorkPiece& piece = response.work_pieces(0);
  EXPECT_EQ(piece.subject(), "a\\x00\\xff");
  EXPECT_EQ(piece.state(), admin::v1::WORK_STATE_PARKED);
  EXPECT_EQ(piece.attempts(), 10);
  EXPECT_LE(piece.last_error().size(), 512u);
  EXPECT_EQ(piece.create_time().seconds(), 5);
  EXPECT_EQ(piece.state_time().seconds(), 6);
}

TEST_F(AdminServiceTest, ParkedWorkIsRetriedByKind) {
  admin::v1::RetryWorkRequest request;
  request.set_kind("test.work");
  const auto call = Start("RetryWork", request.SerializeAsString());
  ASSERT_EQ(call->Result(), "ok");
  EXPECT_EQ(work_.asked_kind, "test.work");
  admin::v1::RetryWorkResponse response;
  ASSERT_TRUE(response.ParseFromString(*call->Reply()));
  EXPECT_EQ(response.retried_count(), 7);

  request.set_kind("test.unknown");
  EXPECT_EQ(Start("RetryWork", request.SerializeAsString())->Result(), "INVALID_PARAMETER");
}

}  // namespace
}  // namespace hapax
