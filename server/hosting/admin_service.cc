#include "hapax/server/hosting/admin_service.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hapax/admin/v1/admin.pb.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

// One thread for the running backup, one for everything else.
constexpr int kThreads = 2;
constexpr size_t kMaxWaiting = 16;

admin::v1::Backup ToProto(const Backup& backup) {
  admin::v1::Backup proto;
  proto.set_backup_id(backup.id);
  *proto.mutable_create_time() = ToTimestamp(backup.created);
  proto.set_size_bytes(backup.size_bytes);
  return proto;
}

// Operators see the error of the directory.
absl::Status RefusalOf(const absl::Status& status) {
  const std::string message = absl::StrCat("backup: ", status.message());
  if (absl::IsDataLoss(status)) return Refuse(Reason::kTokenRecordCorrupt, message);
  if (absl::IsUnavailable(status) || absl::IsCancelled(status)) return Refuse(Reason::kTokenStoreUnavailable, message);
  return Refuse(Reason::kInternal, message);
}

}  // namespace

AdminService::AdminService(Store& store, std::string backup_dir)
    : store_(store), backup_dir_(std::move(backup_dir)), workers_(kThreads, kMaxWaiting) {}

AdminService::~AdminService() { Close(); }

std::unique_ptr<HostedService> AdminService::Host() {
  namespace api = admin::v1;
  const auto& descriptor = *api::CreateBackupRequest::descriptor()->file()->FindServiceByName("Admin");
  auto service = std::make_unique<HostedService>(descriptor, HostedService::Reach::kAll);
  service->Serve<api::CreateBackupRequest, api::CreateBackupResponse>(
      "CreateBackup",
      [this](UnaryCall& call, const api::CreateBackupRequest&) { Answer(call, [this] { return CreateBackup(); }); });
  service->Serve<api::ListBackupsRequest, api::ListBackupsResponse>(
      "ListBackups",
      [this](UnaryCall& call, const api::ListBackupsRequest&) { Answer(call, [this] { return ListBackups(); }); });
  return service;
}

void AdminService::Answer(UnaryCall& call, absl::AnyInvocable<absl::StatusOr<std::string>()> answer) {
  if (backup_dir_.empty()) {
    call.Finish(Refuse(Reason::kPermissionDenied, "the server makes no backups: it was started without --backup_dir"));
    return;
  }
  WorkerPool::Work work = [&call, answer = std::move(answer)]() mutable { call.Finish(answer()); };
  if (!workers_.TrySchedule(work, call.context.tenant))
    call.Finish(Refuse(Reason::kOverloaded, "too many calls are waiting for backups"));
}

absl::StatusOr<std::string> AdminService::CreateBackup() {
  if (is_backing_up_.exchange(true)) return Refuse(Reason::kOverloaded, "another backup is being made");
  const absl::Cleanup done = [this] { is_backing_up_ = false; };
  const absl::StatusOr<Backup> backup = store_.CreateBackup(backup_dir_, closed_);
  if (!backup.ok()) return RefusalOf(backup.status());
  admin::v1::CreateBackupResponse response;
  *response.mutable_backup() = ToProto(*backup);
  return response.SerializeAsString();
}

absl::StatusOr<std::string> AdminService::ListBackups() const {
  const absl::StatusOr<BackupList> list = store_.ListBackups(backup_dir_);
  if (!list.ok()) return RefusalOf(list.status());
  admin::v1::ListBackupsResponse response;
  for (const Backup& backup : list->backups) *response.add_backups() = ToProto(backup);
  for (const uint32_t id : list->damaged_ids) {
    admin::v1::Backup& damaged = *response.add_backups();
    damaged.set_backup_id(id);
    damaged.set_damaged(true);
  }
  std::sort(response.mutable_backups()->begin(), response.mutable_backups()->end(),
            [](const auto& a, const auto& b) { return a.backup_id() < b.backup_id(); });
  return response.SerializeAsString();
}

}  // namespace hapax
