#include "hapax/storage/postgres/layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "hapax/base/check.h"

namespace hapax {
namespace {

constexpr char kBegin[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
constexpr char kBeginSerializable[] = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE";
constexpr char kBeginSerializableRead[] = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY";

// Takes advisory locks until the end of the transaction, in the order of the arrays: id, and whether it is exclusive.
// It is a statement of its own, since the next one's snapshot must be taken later.
constexpr char kLock[] =
    "SELECT count(CASE WHEN l.exclusive THEN pg_advisory_xact_lock(l.id) ELSE pg_advisory_xact_lock_shared(l.id) END) "
    "FROM unnest($1::bigint[], $2::boolean[]) AS l(id, exclusive)";

// The revision of the granule `wanted`. The sum is far below the modulus unless there were very many failovers.
constexpr char kGranuleRevision[] =
    "(SELECT (coalesce(sum(g.revision), 0) % 9223372036854775807)::bigint FROM $schema.granules g "
    "WHERE g.tbl = wanted.tbl AND g.key = wanted.key)";

// Of the transaction. The upper bits are set with the connection (connector.cc).
constexpr char kNextRevision[] =
    "(current_setting('hapax.timeline')::bigint << 44) + (pg_current_xact_id()::text::bigint & ((1::bigint << 44) - "
    "1))";

// Whether rows and granules have the revisions that were seen. Parameters: table, key, revision of rows; of granules.
constexpr char kUnchanged[] =
    "NOT EXISTS (SELECT FROM unnest($row_tbl::smallint[], $row_key::bytea[], $row_revision::bigint[]) "
    "AS seen(tbl, key, revision) LEFT JOIN $schema.rows r ON r.tbl = seen.tbl AND r.key = seen.key "
    "WHERE coalesce(r.revision, 0) <> seen.revision) "
    "AND NOT EXISTS (SELECT FROM unnest($part_tbl::smallint[], $part_key::bytea[], $part_revision::bigint[]) "
    "AS wanted(tbl, key, revision) WHERE $granule_revision <> wanted.revision)";

constexpr char kCompare[] = "SELECT $unchanged";

// Parameters: 1 slot, 2 owner, 3 epoch, 4 number; 5 to 7 rows and 8 to 10 granules that were read; 11 to 13 rows to
// put, 14 and 15 rows to delete, 16 and 17 granules to mark. Columns: the group's revision, null if it is not applied;
// owner, epoch and number of the slot as compared. All parts see the state of before the statement.
constexpr char kApply[] =
    "WITH checked AS MATERIALIZED (SELECT EXISTS (SELECT FROM $schema.slots s WHERE s.name = $1::bytea "
    "AND s.owner = $2::bytea AND s.epoch = $3::bigint AND s.seq = $4::bigint) AND $unchanged AS unchanged), "
    "next AS MATERIALIZED (SELECT $next_revision AS revision FROM checked "
    "WHERE checked.unchanged), "
    "put AS (INSERT INTO $schema.rows AS r (tbl, key, value, revision) "
    "SELECT w.tbl, w.key, w.value, next.revision "
    "FROM next, unnest($11::smallint[], $12::bytea[], $13::bytea[]) AS w(tbl, key, value) "
    "ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value, "
    "revision = greatest(excluded.revision, r.revision + 1)), "
    "deleted AS (DELETE FROM $schema.rows r USING next, "
    "unnest($14::smallint[], $15::bytea[]) AS w(tbl, key) WHERE r.tbl = w.tbl AND r.key = w.key), "
    "marked AS (INSERT INTO $schema.granules AS g (tbl, key, writer, revision) "
    "SELECT w.tbl, w.key, $1::bytea, next.revision "
    "FROM next, unnest($16::smallint[], $17::bytea[]) AS w(tbl, key) "
    "ON CONFLICT (tbl, key, writer) DO UPDATE SET revision = greatest(excluded.revision, g.revision + 1)), "
    "counted AS (UPDATE $schema.slots s SET seq = s.seq + 1, "
    "revision = greatest(next.revision, s.revision + 1) FROM next WHERE s.name = $1::bytea) "
    "SELECT next.revision, s.owner, s.epoch, s.seq FROM (VALUES (1)) AS always "
    "LEFT JOIN next ON true LEFT JOIN $schema.slots s ON s.name = $1::bytea";

// Parameters: slot; owner, epoch and number to put; the revision as seen, 0: absent.
// Returns a row if it was put.
constexpr char kRaise[] =
    "INSERT INTO $schema.slots AS s (name, owner, epoch, seq, revision) "
    "SELECT $1::bytea, $2::bytea, $3::bigint, $4::bigint, $next_revision "
    "WHERE $5::bigint = 0 OR EXISTS (SELECT FROM $schema.slots o WHERE o.name = $1::bytea) "
    "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, seq = excluded.seq, "
    "revision = greatest(excluded.revision, s.revision + 1) WHERE s.revision = $5::bigint RETURNING s.revision";

constexpr char kReadSlot[] = "SELECT owner, epoch, seq, revision FROM $schema.slots WHERE name = $1::bytea";

// Parameters: 1, 2 rows; 3, 4 granules; 5 to 10 scans: table, first key, table and key at which it ends, most rows,
// and bytes that the rows before each may have. Columns: 0 row, 1 granule, 2 row of a scan; its place among those, from
// 1 on; key, value, revision. An absent row is left out. The size of a long value is known without the value.
constexpr char kFetch[] =
    "SELECT 0::bigint, k.place, ''::bytea, r.value, r.revision "
    "FROM unnest($1::smallint[], $2::bytea[]) WITH ORDINALITY AS k(tbl, key, place) "
    "JOIN $schema.rows r ON r.tbl = k.tbl AND r.key = k.key "
    "UNION ALL SELECT 1::bigint, wanted.place, ''::bytea, NULL::bytea, $granule_revision "
    "FROM unnest($3::smallint[], $4::bytea[]) WITH ORDINALITY AS wanted(tbl, key, place) "
    "UNION ALL SELECT 2::bigint, s.place, f.key, f.value, f.revision "
    "FROM unnest($5::smallint[], $6::bytea[], $7::smallint[], $8::bytea[], $9::bigint[], $10::bigint[]) "
    "WITH ORDINALITY AS s(tbl, first_key, end_tbl, end_key, max_rows, max_bytes, place), "
    "LATERAL (SELECT l.key, l.value, l.revision, "
    "sum(octet_length(l.value)) OVER (ORDER BY l.tbl, l.key ROWS UNBOUNDED PRECEDING) AS bytes "
    "FROM (SELECT r.tbl, r.key, r.value, r.revision FROM $schema.rows r "
    "WHERE (r.tbl, r.key) >= (s.tbl, s.first_key) AND (r.tbl, r.key) < (s.end_tbl, s.end_key) "
    "ORDER BY r.tbl, r.key LIMIT s.max_rows) AS l) AS f "
    "WHERE f.bytes - octet_length(f.value) <= s.max_bytes";

// kUnchanged with six parameters from this one on.
std::string Unchanged(int first) {
  const auto parameter = [&](int number) { return absl::StrCat("$", first + number); };
  return absl::StrReplaceAll(kUnchanged, {{"$row_tbl", parameter(0)},
                                          {"$row_key", parameter(1)},
                                          {"$row_revision", parameter(2)},
                                          {"$part_tbl", parameter(3)},
                                          {"$part_key", parameter(4)},
                                          {"$part_revision", parameter(5)}});
}

}  // namespace

PostgresLayout::PostgresLayout(std::string schema) : schema_(std::move(schema)) {
  HAPAX_CHECK(IsSchema(schema_), "the schema was checked with the options");
}

bool PostgresLayout::IsSchema(std::string_view schema) {
  if (schema.empty() || schema.size() > kMaxSchemaBytes) return false;
  if (!absl::ascii_islower(static_cast<unsigned char>(schema.front()))) return false;
  return std::all_of(schema.begin(), schema.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '_';
  });
}

std::vector<PostgresLayout::Statement> PostgresLayout::Statements() const {
  const auto sql = [this](absl::string_view text, int compared) {
    std::string whole = absl::StrReplaceAll(text, {{"$unchanged", Unchanged(compared)}});
    whole = absl::StrReplaceAll(whole, {{"$granule_revision", kGranuleRevision}, {"$next_revision", kNextRevision}});
    return Sql(whole);
  };
  return {{kBeginStatement, kBegin},
          {kBeginSerializableStatement, kBeginSerializable},
          {kBeginSerializableReadStatement, kBeginSerializableRead},
          {kLockStatement, kLock},
          {kApplyStatement, sql(kApply, /*compared=*/5)},
          {kRaiseStatement, sql(kRaise, /*compared=*/0)},
          {kCommitStatement, "COMMIT"},
          {kFetchStatement, sql(kFetch, /*compared=*/0)},
          {kCompareStatement, sql(kCompare, /*compared=*/1)},
          {kReadSlotStatement, Sql(kReadSlot)}};
}

std::string PostgresLayout::Sql(std::string_view sql) const {
  // Quoted, since it may be a word of SQL.
  return absl::StrReplaceAll(absl::string_view(sql.data(), sql.size()), {{"$schema", "\"" + schema_ + "\""}});
}

}  // namespace hapax
