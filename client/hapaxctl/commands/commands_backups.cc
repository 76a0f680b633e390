#include <sys/stat.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "hapax/admin/v1/admin.pb.h"
#include "hapax/base/timestamps.h"
#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/storage/rocksdb/backup.h"

namespace hapax::ctl {
namespace {

struct Restore {
  std::string backup_dir;
  std::string data_dir;
  std::optional<uint32_t> backup_id;
  Unfinished unfinished = Unfinished::kRefuse;
};

ExitCode RestoreHere(Session& session, const Restore& restore) {
  umask(S_IRWXG | S_IRWXO);  // Like the server's own files.
  const absl::StatusOr<Backup> restored =
      RestoreBackup(restore.backup_dir, restore.data_dir, restore.backup_id, restore.unfinished);
  if (!restored.ok()) return session.Fail(restored.status());
  Say(absl::StrCat(session.verb(), ": restored; the server also needs the seal keys of then: --seal_key_file"));
  admin::v1::Backup backup;
  backup.set_backup_id(restored->id);
  *backup.mutable_create_time() = ToTimestamp(restored->created);
  backup.set_size_bytes(restored->size_bytes);
  return session.Print(backup);
}

}  // namespace

Action BindAdminBackup(CLI::App& verb) {
  return Asking<admin::v1::CreateBackupRequest>(verb, [](CLI::App&, admin::v1::CreateBackupRequest&) {});
}

Action BindAdminListBackups(CLI::App& verb) {
  return Asking<admin::v1::ListBackupsRequest>(verb, [](CLI::App&, admin::v1::ListBackupsRequest&) {});
}

Action BindAdminRestore(CLI::App& verb) {
  const auto restore = std::make_shared<Restore>();
  AddText(verb, "--backup-dir", restore->backup_dir, "Directory of the backups")->required();
  AddText(verb, "--data-dir", restore->data_dir, "Directory to make; must not exist, or be empty")->required();
  const auto set_id = [restore](int32_t id) { restore->backup_id = static_cast<uint32_t>(id); };
  AddNumber(verb, "--backup-id", 1, std::numeric_limits<int32_t>::max(), set_id,
            "Which one; the latest when not given");
  verb.add_flag_callback(
      "--remove-unfinished", [restore] { restore->unfinished = Unfinished::kRemove; },
      "Delete what an earlier restore left beside it, DIRECTORY.restoring, first");
  return [restore](Session& session) { return RestoreHere(session, *restore); };
}

}  // namespace hapax::ctl
