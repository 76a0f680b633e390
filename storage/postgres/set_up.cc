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
constexpr char kSchema[] = "CREATE SCHEMA IF NOT EXISTS $schema";
constexpr const char* kTables[] = {
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

// What the role may do, and names as SQL has them. Asked of the catalog, which anyone may read.
struct Rights {
  std::string role;
  std::string database;
  bool may_create_schemas = false;
  bool has_schema = false;
  bool may_create_tables = false;  // In the schema.
  bool has_engine = false;
  bool may_use_tables = false;  // All that are there.
};

constexpr char kRights[] =
    "SELECT quote_ident(current_user), quote_ident(current_database()), "
    "has_database_privilege(current_database(), 'CREATE'), n.oid IS NOT NULL, "
    "coalesce(has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, 'USAGE'), false), "
    "EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'engine'), "
    "coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AND NOT EXISTS (SELECT FROM pg_class c, "
    "unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed(privilege) WHERE c.relnamespace = n.oid "
    "AND c.relname IN ('rows', 'granules', 'slots', 'engine') AND NOT has_table_privilege(c.oid, needed.privilege)) "
    "FROM (VALUES (1)) AS always LEFT JOIN pg_namespace n ON n.nspname = $1::text";

absl::StatusOr<Rights> RightsOf(PgSession& session, const PostgresLayout& layout, absl::Duration deadline) {
  const PgReply found = session.Run({{.parameters = {layout.schema()}, .sql = kRights}}, deadline);
  HAPAX_RETURN_IF_ERROR(found.status);
  const PgRows& row = found.rows[0];
  return Rights{.role = std::string(row.Bytes(0, 0)),
                .database = std::string(row.Bytes(0, 1)),
                .may_create_schemas = row.Bool(0, 2),
                .has_schema = row.Bool(0, 3),
                .may_create_tables = row.Bool(0, 4),
                .has_engine = row.Bool(0, 5),
                .may_use_tables = row.Bool(0, 6)};
}

// The error of a role that lacks what the statements give it.
absl::Status Lacking(const Rights& rights, const PostgresLayout& layout, absl::string_view what,
                     absl::string_view statements) {
  return absl::PermissionDeniedError(absl::StrCat("postgres_schema=", layout.schema(), ": the role ", rights.role, " ",
                                                  what, ". Run as one who may: ", statements));
}

absl::Status CheckMayUse(const Rights& rights, const PostgresLayout& layout) {
  if (rights.may_use_tables) return absl::OkStatus();
  return Lacking(rights, layout, "may not use its tables",
                 layout.Sql(absl::StrCat("GRANT USAGE ON SCHEMA $schema TO ", rights.role,
                                         "; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $schema TO ",
                                         rights.role)));
}

absl::Status CheckMayCreate(const Rights& rights, const PostgresLayout& layout) {
  if (rights.has_schema && !rights.may_create_tables) {
    return Lacking(rights, layout, "may not create its tables",
                   layout.Sql(absl::StrCat("GRANT USAGE, CREATE ON SCHEMA $schema TO ", rights.role)));
  }
  if (rights.has_schema || rights.may_create_schemas) return absl::OkStatus();
  return Lacking(rights, layout, "may not create it",
                 layout.Sql(absl::StrCat("CREATE SCHEMA $schema AUTHORIZATION ", rights.role, ", in the database ",
                                         rights.database)));
}

}  // namespace

absl::Status SetUpIfMissing(PgSession& session, const PostgresLayout& layout, PgIsolationKind isolation,
                            absl::Duration deadline) {
  HAPAX_ASSIGN_OR_RETURN(const Rights rights, RightsOf(session, layout, deadline));
  if (rights.has_engine) return CheckMayUse(rights, layout);
  HAPAX_RETURN_IF_ERROR(CheckMayCreate(rights, layout));

  std::vector<PgCall> calls = {{.sql = "BEGIN"}};
  if (isolation == PgIsolationKind::kAdvisoryLocks) calls.push_back({.sql = kLockSetUp});
  // Also if it exists, the statement needs the right to create schemas.
  if (!rights.has_schema) calls.push_back({.sql = layout.Sql(kSchema)});
  for (const char* const table : kTables) calls.push_back({.sql = layout.Sql(table)});
  calls.push_back({.parameters = {PgBigint(PostgresLayout::kVersion), absl::StrCat("Hapax ", HAPAX_VERSION),
                                  std::string(PgIsolationName(isolation))},
                   .sql = layout.Sql(kMark)});
  calls.push_back({.sql = "COMMIT"});
  absl::Status status = session.Run(calls, deadline).status;
  if (status.ok()) return status;
  // Without the lock another server's set-up may have come first.
  const absl::StatusOr<Rights> now = RightsOf(session, layout, deadline);
  return now.ok() && now->has_engine ? CheckMayUse(*now, layout) : status;
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
