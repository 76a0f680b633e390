#include "hapax/storage/postgres/set_up.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/array.h"
#include "hapax/storage/postgres/isolation.h"

namespace hapax {
namespace {

// The number means nothing, but others should not use it.
constexpr char kLockSetUp[] = "SELECT pg_advisory_xact_lock(7305803174101231982) IS NULL";

// Rows keep room for new versions in their page. Values are not compressed: most are small, and secrets are random.
constexpr const char* kTables[] = {
    "CREATE SCHEMA IF NOT EXISTS $schema",
    "CREATE TABLE IF NOT EXISTS $schema.rows (tbl smallint NOT NULL, key bytea NOT NULL, value bytea NOT NULL, "
    "revision bigint NOT NULL, PRIMARY KEY (tbl, key)) "
    "WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)",
    "ALTER TABLE $schema.rows ALTER COLUMN value SET STORAGE EXTERNAL",
    "CREATE TABLE IF NOT EXISTS $schema.granules (tbl smallint NOT NULL, key bytea NOT NULL, writer bytea NOT NULL, "
    "revision bigint NOT NULL, PRIMARY KEY (tbl, key, writer)) WITH (fillfactor = 50)",
    "CREATE TABLE IF NOT EXISTS $schema.slots (name bytea PRIMARY KEY, owner bytea NOT NULL, epoch bigint NOT NULL, "
    "seq bigint NOT NULL, revision bigint NOT NULL) WITH (fillfactor = 20)",
    "CREATE TABLE IF NOT EXISTS $schema.engine (is_one boolean PRIMARY KEY CHECK (is_one), layout bigint NOT NULL, "
    "release text NOT NULL, connections bigint NOT NULL, isolation text NOT NULL)",
};
constexpr char kMark[] =
    "INSERT INTO $schema.engine VALUES (true, $1::bigint, $2::text, 0, $3::text) ON CONFLICT DO NOTHING";

absl::StatusOr<bool> IsSetUp(PgSession& session, const PostgresLayout& layout, absl::Duration deadline) {
  const PgReply found = session.Run(
      {{.parameters = {layout.Sql("$schema.engine")}, .sql = "SELECT to_regclass($1::text) IS NOT NULL"}}, deadline);
  HAPAX_RETURN_IF_ERROR(found.status);
  return found.rows[0].Bool(0, 0);
}

}  // namespace

absl::Status SetUpIfMissing(PgSession& session, const PostgresLayout& layout, PgIsolationKind isolation,
                            absl::Duration deadline) {
  HAPAX_ASSIGN_OR_RETURN(const bool is_there, IsSetUp(session, layout, deadline));
  if (is_there) return absl::OkStatus();

  std::vector<PgCall> calls = {{.sql = "BEGIN"}};
  if (isolation == PgIsolationKind::kAdvisoryLocks) calls.push_back({.sql = kLockSetUp});
  for (const char* const table : kTables) calls.push_back({.sql = layout.Sql(table)});
  calls.push_back({.parameters = {PgBigint(PostgresLayout::kVersion), absl::StrCat("Hapax ", HAPAX_VERSION),
                                  std::string(PgIsolationName(isolation))},
                   .sql = layout.Sql(kMark)});
  calls.push_back({.sql = "COMMIT"});
  absl::Status status = session.Run(calls, deadline).status;
  if (status.ok()) return status;
  // Without the lock another server's set-up may have come first.
  const absl::StatusOr<bool> is_there_now = IsSetUp(session, layout, deadline);
  return is_there_now.ok() && *is_there_now ? absl::OkStatus() : status;
}

absl::Status CheckLayout(const PostgresLayout& layout, int64_t version, const std::string& release) {
  if (version == PostgresLayout::kVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the tables of postgres_schema=", layout.schema(), " have layout ", version, ", and Hapax ",
                   HAPAX_VERSION, " has layout ", PostgresLayout::kVersion, ": use ", release, ", or another schema"));
}

absl::Status CheckIsolation(const PostgresLayout& layout, absl::string_view found, PgIsolationKind isolation) {
  const absl::string_view ours = PgIsolationName(isolation);
  if (found == ours) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("postgres_isolation=", ours, ": the servers of postgres_schema=", layout.schema(), " have ", found,
                   ", and all must have the same. Use it, or stop them all and run: ",
                   layout.Sql(absl::StrCat("UPDATE $schema.engine SET isolation = '", ours, "'"))));
}

}  // namespace hapax
