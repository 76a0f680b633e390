#include "hapax/server/postgres_engine.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/guarded_file.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/shared_engine.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/storage/postgres/isolation.h"
#include "hapax/storage/postgres/layout.h"

namespace hapax {
namespace {

constexpr char kOption[] = "postgres_conninfo_file";
constexpr char kEnvironment[] = "HAPAX_POSTGRES_CONNINFO";
constexpr char kDatabase[] = "the database";

std::string FromEnvironment() {
  const char* const value = std::getenv(kEnvironment);
  return value == nullptr ? "" : value;
}

// The connection string may have a password.
absl::StatusOr<std::string> ReadConninfo(const std::string& path) {
  if (path.empty()) return FromEnvironment();
  absl::StatusOr<std::string> text = ReadGuardedFile(path, OthersMay::kNothing);
  if (!text.ok()) return OptionError(kOption, path, text.status());
  return std::string(absl::StripAsciiWhitespace(*text));
}

// Errors about another option name it already.
absl::Status OpenError(const std::string& path, const absl::Status& error) {
  if (absl::StartsWith(error.message(), "postgres_")) return error;
  return OptionError(kOption, path.empty() ? absl::StrCat("$", kEnvironment) : path, error);
}

}  // namespace

absl::Status CheckPostgresEngine(const ServerOptions& options) {
  HAPAX_RETURN_IF_ERROR(CheckServerId(options));
  const PostgresStoreOptions& postgres = options.postgres;
  if (postgres.conninfo_file.empty() && FromEnvironment().empty()) {
    return OptionError(
        kOption, "",
        absl::InvalidArgumentError(absl::StrCat("must name a file with the connection string of PostgreSQL, unless ",
                                                kEnvironment, " has it")));
  }
  if (!PostgresLayout::IsSchema(postgres.schema)) {
    return OptionError("postgres_schema", absl::CHexEscape(postgres.schema),
                       absl::InvalidArgumentError(absl::StrCat(
                           "must begin with a lower-case letter, have only lower-case letters, digits and \"_\", and ",
                           "at most ", PostgresLayout::kMaxSchemaBytes, " bytes")));
  }
  if (const auto isolation = ParsePgIsolation(postgres.isolation); !isolation.ok()) {
    return OptionError("postgres_isolation", absl::CHexEscape(postgres.isolation), isolation.status());
  }
  HAPAX_RETURN_IF_ERROR(CheckNoneGiven(EtcdOptionsGiven(options), "etcd"));
  return CheckHasNoDirectory(options, kDatabase);
}

absl::StatusOr<Engine> OpenPostgresEngine(const ServerOptions& options, const EngineParts& /*parts*/) {
  const PostgresStoreOptions& postgres = options.postgres;
  HAPAX_ASSIGN_OR_RETURN(const std::string conninfo, ReadConninfo(postgres.conninfo_file));
  HAPAX_ASSIGN_OR_RETURN(const PgIsolationKind isolation, ParsePgIsolation(postgres.isolation));
  auto backend = OpenPostgresBackend({.conninfo = conninfo, .schema = postgres.schema, .isolation = isolation});
  if (!backend.ok()) return OpenError(postgres.conninfo_file, backend.status());
  return MakeSharedEngine(options, *std::move(backend), "PostgreSQL",
                          absl::StrCat("PostgreSQL, in schema ", postgres.schema), kDatabase);
}

}  // namespace hapax
