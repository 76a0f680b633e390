#include "hapax/server/hosting/admin_service.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/admin/v1/admin.pb.h"
#include "hapax/base/check.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/refusal_bounds.h"

namespace hapax {
namespace {

// One thread for the running backup, one for everything else.
constexpr int kThreads = 2;
constexpr size_t kMaxWaiting = 16;
// Of a piece of work, in a reply.
constexpr size_t kMaxSubjectBytes = 256;
constexpr size_t kMaxErrorBytes = 512;

admin::v1::Backup ToProto(const Backup& backup) {
  admin::v1::Backup proto;
  proto.set_backup_id(backup.id);
  *proto.mutable_create_time() = ToTimestamp(backup.created);
  proto.set_size_bytes(backup.size_bytes);
  return proto;
}

admin::v1::WorkState ToProto(WorkState state) {
  switch (state) {
    case WorkState::kRunning:
      return admin::v1::WORK_STATE_RUNNING;
    case WorkState::kWaiting:
      return admin::v1::WORK_STATE_WAITING;
    case WorkState::kParked:
      return admin::v1::WORK_STATE_PARKED;
  }
  HAPAX_CHECK(false, "a WorkState is one of its values");
}

admin::v1::WorkKind ToProto(const WorkKindStatus& status) {
  admin::v1::WorkKind proto;
  const int64_t open = status.running + status.waiting + status.parked;
  proto.set_kind(status.kind);
  proto.set_open_count(open);
  proto.set_running_count(status.running);
  proto.set_waiting_count(status.waiting);
  proto.set_parked_count(status.parked);
  proto.set_failure_count(status.failures);
  if (open > 0) *proto.mutable_oldest_age() = ToProtoDuration(absl::Trunc(status.oldest_age, absl::Milliseconds(1)));
  return proto;
}

admin::v1::WorkPiece ToProto(const WorkPieceStatus& status) {
  admin::v1::WorkPiece proto;
  proto.set_kind(status.kind);
  proto.set_subject(CutText(absl::CHexEscape(status.subject), kMaxSubjectBytes));
  proto.set_state(ToProto(status.state));
  proto.set_attempts(status.attempts);
  proto.set_last_error(CutText(status.last_error, kMaxErrorBytes));
  *proto.mutable_create_time() = ToTimestamp(status.created);
  *proto.mutable_state_time() = ToTimestamp(status.since);
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

AdminService::AdminService(Store& store, WorkControl& work, Options options)
    : store_(store), work_(work), options_(std::move(options)), workers_(kThreads, kMaxWaiting) {}

AdminService::~AdminService() { Close(); }

std::unique_ptr<HostedService> AdminService::Host() {
  namespace api = admin::v1;
  const auto& descriptor = *api::CreateBackupRequest::descriptor()->file()->FindServiceByName("Admin");
  auto service = std::make_unique<HostedService>(descriptor, HostedService::Reach::kAll);
  service->Serve<api::CreateBackupRequest, api::CreateBackupResponse>(
      "CreateBackup", [this](UnaryCall& call, const api::CreateBackupRequest&) {
        AnswerAboutBackups(call, [this] { return CreateBackup(); });
      });
  service->Serve<api::ListBackupsRequest, api::ListBackupsResponse>(
      "ListBackups", [this](UnaryCall& call, const api::ListBackupsRequest&) {
        AnswerAboutBackups(call, [this] { return ListBackups(); });
      });
  service->Serve<api::GetStatusRequest, api::GetStatusResponse>(
      "GetStatus",
      [this](UnaryCall& call, const api::GetStatusRequest&) { Answer(call, [this] { return GetStatus(); }); });
  service->Serve<api::RetryWorkRequest, api::RetryWorkResponse>(
      "RetryWork", [this](UnaryCall& call, const api::RetryWorkRequest& request) {
        Answer(call, [this, kind = request.kind()] { return RetryWork(kind); });
      });
  return service;
}

void AdminService::AnswerAboutBackups(UnaryCall& call, Answering answer) {
  if (!options_.no_backups.empty()) return call.Finish(Refuse(Reason::kUnimplemented, options_.no_backups));
  if (!options_.backup_dir.empty()) return Answer(call, std::move(answer));
  call.Finish(Refuse(Reason::kPermissionDenied, "the server makes no backups: it was started without --backup_dir"));
}

void AdminService::Answer(UnaryCall& call, Answering answer) {
  WorkerPool::Work work = [&call, answer = std::move(answer)]() mutable { call.Finish(answer()); };
  if (!workers_.TrySchedule(work, call.context.tenant))
    call.Finish(Refuse(Reason::kOverloaded, "too many calls of operators are waiting"));
}

absl::StatusOr<std::string> AdminService::CreateBackup() {
  if (is_backing_up_.exchange(true)) return Refuse(Reason::kOverloaded, "another backup is being made");
  const absl::Cleanup done = [this] { is_backing_up_ = false; };
  const absl::StatusOr<Backup> backup = store_.CreateBackup(options_.backup_dir, closed_);
  if (!backup.ok()) return RefusalOf(backup.status());
  admin::v1::CreateBackupResponse response;
  *response.mutable_backup() = ToProto(*backup);
  return response.SerializeAsString();
}

absl::StatusOr<std::string> AdminService::ListBackups() const {
  const absl::StatusOr<BackupList> list = store_.ListBackups(options_.backup_dir);
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

absl::StatusOr<std::string> AdminService::GetStatus() const {
  const WorkStatus work = work_.Status();
  admin::v1::GetStatusResponse response;
  response.set_version(options_.version);
  *response.mutable_start_time() = ToTimestamp(options_.start_time);
  response.set_store(options_.store);
  response.set_server_id(options_.server_id);
  response.set_damaged_work_rows(work.damaged_rows);
  for (const WorkKindStatus& kind : work.kinds) *response.add_work_kinds() = ToProto(kind);
  for (const WorkPieceStatus& piece : work.pieces) *response.add_work_pieces() = ToProto(piece);
  return response.SerializeAsString();
}

absl::StatusOr<std::string> AdminService::RetryWork(const std::string& kind) {
  const absl::StatusOr<int64_t> count = work_.RetryParked(kind);
  if (!count.ok()) return RefuseParameter("kind", std::string(count.status().message()));
  admin::v1::RetryWorkResponse response;
  response.set_retried_count(*count);
  return response.SerializeAsString();
}

}  // namespace hapax
