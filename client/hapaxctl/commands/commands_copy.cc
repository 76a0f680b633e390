#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hapax/base/guarded_file.h"
#include "hapax/base/random_name.h"
#include "hapax/base/status_macros.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/hapaxctl/v1/output.pb.h"
#include "hapax/storage/copy.h"
#include "hapax/storage/etcd/backend.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/storage/postgres/isolation.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/remote/store.h"
#include "hapax/storage/rocksdb/store.h"

namespace hapax::ctl {
namespace {

constexpr int64_t kRowsBetweenReports = 100'000;
constexpr absl::string_view kSlot = "hapaxctl-copy";

struct CopyFlags {
  std::string from;
  std::string to;
  EtcdAccessFiles etcd_files;
  std::string postgres_schema = PostgresOptions().schema;
  std::string postgres_isolation = std::string(PgIsolationName(PostgresOptions().isolation));
  bool cancels = false;
};

enum class Side { kFrom, kTo };

absl::StatusOr<std::unique_ptr<Store>> OpenRocksDb(Side side, const std::string& directory,
                                                   const CopyFlags& /*flags*/) {
  // A mistyped name must not make a directory.
  std::error_code error;
  if (side == Side::kFrom && !std::filesystem::exists(std::filesystem::path(directory) / "CURRENT", error)) {
    return absl::NotFoundError("is no data directory of hapaxd");
  }
  return OpenRocksDbStore({.path = directory});
}

std::unique_ptr<Store> MakeRemoteStore(std::unique_ptr<RemoteBackend> backend) {
  return std::make_unique<RemoteStore>(
      std::move(backend), RemoteOptions{.slot = std::string(kSlot), .owner = RandomName(), .max_waiting = 16});
}

// `place`: "host:port,.../prefix".
absl::StatusOr<std::unique_ptr<Store>> OpenEtcd(Side /*side*/, const std::string& place, const CopyFlags& flags) {
  const size_t slash = place.find('/');
  if (slash == std::string::npos) return absl::InvalidArgumentError("must end with the prefix, such as /hapax");
  HAPAX_ASSIGN_OR_RETURN(auto backend, OpenEtcdBackend({.endpoints = absl::StrSplit(place.substr(0, slash), ','),
                                                        .files = flags.etcd_files},
                                                       place.substr(slash)));
  return MakeRemoteStore(std::move(backend));
}

// `file`: has the connection string, which may have a password.
absl::StatusOr<std::unique_ptr<Store>> OpenPostgres(Side /*side*/, const std::string& file, const CopyFlags& flags) {
  HAPAX_ASSIGN_OR_RETURN(const std::string text, ReadGuardedFile(file, OthersMay::kNothing));
  HAPAX_ASSIGN_OR_RETURN(const PgIsolationKind isolation, ParsePgIsolation(flags.postgres_isolation));
  HAPAX_ASSIGN_OR_RETURN(auto backend, OpenPostgresBackend({.conninfo = std::string(absl::StripAsciiWhitespace(text)),
                                                            .schema = flags.postgres_schema,
                                                            .isolation = isolation}));
  return MakeRemoteStore(std::move(backend));
}

struct EngineKind {
  absl::string_view name;
  absl::string_view place;
  absl::StatusOr<std::unique_ptr<Store>> (*open)(Side side, const std::string& place, const CopyFlags& flags);
};

constexpr EngineKind kEngines[] = {
    {"rocksdb", "DIR", OpenRocksDb},
    {"etcd", "HOST:PORT,HOST:PORT.../PREFIX", OpenEtcd},
    {"postgres", "CONNINFO_FILE", OpenPostgres},
};

// `place`: "<engine>:<place>".
absl::StatusOr<std::unique_ptr<Store>> Open(Side side, const std::string& place, const CopyFlags& flags) {
  const absl::string_view flag = side == Side::kFrom ? "--from" : "--to";
  for (const EngineKind& kind : kEngines) {
    absl::string_view rest = place;
    if (!absl::ConsumePrefix(&rest, absl::StrCat(kind.name, ":")) || rest.empty()) continue;
    auto store = kind.open(side, std::string(rest), flags);
    if (store.ok()) return store;
    return absl::Status(store.status().code(), absl::StrCat(flag, "=", place, ": ", store.status().message()));
  }
  const std::string forms = absl::StrJoin(kEngines, " or ", [](std::string* out, const EngineKind& kind) {
    absl::StrAppend(out, kind.name, ":", kind.place);
  });
  return absl::InvalidArgumentError(absl::StrCat(flag, "=", place, ": must be ", forms));
}

ExitCode Fail(Session& session, const absl::Status& status) {
  return session.Fail(status, absl::IsUnavailable(status) ? ExitCode::kNotNow : ExitCode::kUsage);
}

ExitCode Copy(Session& session, const CopyFlags& flags) {
  umask(S_IRWXG | S_IRWXO);  // Like the server's own files.
  const auto from = Open(Side::kFrom, flags.from, flags);
  if (!from.ok()) return Fail(session, from.status());
  if (flags.cancels) {
    if (const absl::Status status = CancelCopy(**from); !status.ok()) return Fail(session, status);
    Say(absl::StrCat(session.verb(), ": given up; servers may start on ", flags.from, " again"));
    return ExitCode::kDone;
  }
  if (flags.to.empty()) return session.Fail(absl::InvalidArgumentError("--to is required: where the rows go"));
  const auto to = Open(Side::kTo, flags.to, flags);
  if (!to.ok()) return Fail(session, to.status());

  int64_t next_report = kRowsBetweenReports;
  auto step = CopyProgress::Step::kCopy;
  const absl::StatusOr<int64_t> rows =
      CopyStore(**from, **to, {.from = flags.from, .to = flags.to}, [&](const CopyProgress& progress) {
        if (progress.step != step) next_report = kRowsBetweenReports;
        step = progress.step;
        if (progress.rows < next_report) return;
        next_report = progress.rows + kRowsBetweenReports;
        Say(absl::StrCat(session.verb(), ": ", step == CopyProgress::Step::kCopy ? "copied " : "compared ",
                         progress.rows, " rows"));
      });
  if (!rows.ok()) return Fail(session, rows.status());
  Say(absl::StrCat(session.verb(), ": moved; start servers on ", flags.to, ", with the same --seal_key_file and ",
                   "settings. None starts on ", flags.from, " any more"));
  hapaxctl::v1::StoreCopy copy;
  copy.set_from(flags.from);
  copy.set_to(flags.to);
  copy.set_row_count(*rows);
  return session.Print(copy);
}

}  // namespace

Action BindAdminCopy(CLI::App& verb) {
  const auto flags = std::make_shared<CopyFlags>();
  AddText(verb, "--from", flags->from,
          "The store that has the rows: rocksdb:DIR, etcd:HOST:PORT,.../PREFIX or "
          "postgres:CONNINFO_FILE")
      ->required();
  AddText(verb, "--to", flags->to, "The store to move them to, which has no rows");
  AddPath(verb, "--etcd-ca-file", flags->etcd_files.ca_file, "As hapaxd's --etcd_ca_file");
  AddPath(verb, "--etcd-cert-file", flags->etcd_files.cert_file, "As hapaxd's --etcd_cert_file");
  AddPath(verb, "--etcd-key-file", flags->etcd_files.key_file, "As hapaxd's --etcd_key_file");
  AddPath(verb, "--etcd-credentials-file", flags->etcd_files.credentials_file, "As hapaxd's --etcd_credentials_file");
  AddText(verb, "--postgres-schema", flags->postgres_schema, "As hapaxd's --postgres_schema")
      ->default_str(flags->postgres_schema);
  AddText(verb, "--postgres-isolation", flags->postgres_isolation, "As hapaxd's --postgres_isolation")
      ->default_str(flags->postgres_isolation)
      ->check([](const std::string& name) { return std::string(ParsePgIsolation(name).status().message()); });
  verb.add_flag("--cancel", flags->cancels, "Give an unfinished copy up: servers may start on --from again");
  return [flags](Session& session) { return Copy(session, *flags); };
}

}  // namespace hapax::ctl
