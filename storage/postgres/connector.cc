#include "hapax/storage/postgres/connector.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/set_up.h"

namespace hapax {
namespace {

constexpr int kOldestVersion = 140'000;  // As PQserverVersion: 14.0.
// So many servers, with two groups each, may have their locks at a time. The rest of the table is for others.
constexpr int64_t kGroupsAtOnce = 32;
constexpr int64_t kFewestLocks = 16;
constexpr int64_t kMostLocks = 1024;

// What a session needs whatever the defaults of the role and the database are.
//   plans                  always by the index: a scan of the whole table would be chosen by guesses about sizes
//   synchronous_commit     a commit waits for the disk, and for a synchronous standby if there is one
//   statement_timeout      none; the session's owner gives up by itself, and never cancels a commit
//   idle_in_transaction..  ends a transaction of which a broken connection brought only a part
//   client_connection..    ends a statement that waits for a lock, once its client has gone
std::string SettingsSql(absl::Duration lock_timeout) {
  const std::vector<std::pair<const char*, std::string>> settings = {
      {"search_path", "pg_catalog"},
      {"enable_seqscan", "off"},
      {"enable_hashjoin", "off"},
      {"enable_mergejoin", "off"},
      {"enable_bitmapscan", "off"},
      {"jit", "off"},
      {"max_parallel_workers_per_gather", "0"},
      {"plan_cache_mode", "force_generic_plan"},
      {"statement_timeout", "0"},
      {"lock_timeout", absl::StrCat(absl::ToInt64Milliseconds(lock_timeout))},
      {"idle_in_transaction_session_timeout", "5000"},
      {"client_connection_check_interval", "1000"},
      {"default_transaction_deferrable", "off"},
      {"default_transaction_isolation", "read committed"},
  };
  std::string sql = "SELECT";
  for (const auto& [name, value] : settings) absl::StrAppend(&sql, " set_config('", name, "', '", value, "', false),");
  absl::StrAppend(&sql,
                  " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply' "
                  "THEN 'remote_apply' ELSE 'on' END, false),",
                  // The name of a WAL file begins with the timeline, in hexadecimal digits. A promotion begins another.
                  " set_config('hapax.timeline', ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))"
                  "::bit(32)::bigint::text, false)");
  return sql;
}

absl::Status CheckVersion(const PgSession& session) {
  if (session.server_version() >= kOldestVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the server is PostgreSQL ", session.server_version() / 10'000,
                                                    ", and ", kOldestVersion / 10'000, " or later is needed"));
}

constexpr char kTimeline[] = "SELECT current_setting('hapax.timeline')::bigint";
constexpr char kEnter[] =
    "UPDATE $schema.engine SET connections = connections + 1 RETURNING layout, release, connections, isolation";
constexpr char kSlots[] = "SELECT name, owner, epoch, seq FROM $schema.slots";

}  // namespace

absl::StatusOr<std::unique_ptr<PgSession>> PgConnector::Open(int wake_fd, absl::Duration deadline) const {
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<PgSession> session, PgSession::Connect(options_.conninfo, wake_fd));
  HAPAX_RETURN_IF_ERROR(CheckVersion(*session));
  const PgReply set = session->Run({SettingsCall(options_), {.sql = kTimeline}}, deadline);
  HAPAX_RETURN_IF_ERROR(set.status);
  session->set_timeline(set.rows[1].Bigint(0, 0));
  return session;
}

absl::Status PgConnector::Enter(PgSession& session, absl::Duration deadline) {
  const PostgresHistory::Marks floor = history_.marks();
  const PgReply entered = session.Run({{.sql = layout_.Sql(kEnter)}}, deadline);
  HAPAX_RETURN_IF_ERROR(entered.status);
  if (entered.has_warning) return absl::UnavailableError("PostgreSQL did not wait for its standby");
  const PgRows& engine = entered.rows[0];
  if (engine.count() != 1) return absl::FailedPreconditionError("the engine's row in PostgreSQL is gone");
  HAPAX_RETURN_IF_ERROR(CheckLayout(layout_, engine.Bigint(0, 0), std::string(engine.Bytes(0, 1))));
  HAPAX_RETURN_IF_ERROR(CheckIsolation(layout_, std::string(engine.Bytes(0, 3)), options_.isolation));

  // Prepared in one go, and only now, since the tables of another layout are others.
  std::vector<PgCall> calls = {{.sql = layout_.Sql(kSlots)}};
  for (PostgresLayout::Statement& statement : layout_.Statements()) {
    calls.push_back({.statement = std::move(statement.name), .sql = std::move(statement.sql)});
  }
  const PgReply prepared = session.Run(calls, deadline);
  HAPAX_RETURN_IF_ERROR(prepared.status);
  PostgresHistory::Marks found{.connections = engine.Bigint(0, 2)};
  const PgRows& slots = prepared.rows[0];
  for (int row = 0; row < slots.count(); ++row) {
    found.slots[std::string(slots.Bytes(row, 0))] = {.owner = std::string(slots.Bytes(row, 1)),
                                                     .epoch = static_cast<uint64_t>(slots.Bigint(row, 2)),
                                                     .seq = static_cast<uint64_t>(slots.Bigint(row, 3))};
  }
  HAPAX_RETURN_IF_ERROR(history_.Check(floor, found));
  int64_t newest = newest_timeline_;
  while (newest < session.timeline() && !newest_timeline_.compare_exchange_weak(newest, session.timeline())) {
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<PgSession>> PgConnector::Connect(int wake_fd, absl::Duration deadline) {
  HAPAX_RETURN_IF_ERROR(history_.status());
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<PgSession> session, Open(wake_fd, deadline));
  HAPAX_RETURN_IF_ERROR(Enter(*session, deadline));
  return session;
}

absl::StatusOr<std::unique_ptr<PgSession>> PgConnector::SetUpAndConnect(int wake_fd, absl::Duration deadline) {
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<PgSession> session, Open(wake_fd, deadline));
  HAPAX_RETURN_IF_ERROR(SetUpIfMissing(*session, layout_, options_.isolation, deadline));
  HAPAX_RETURN_IF_ERROR(Enter(*session, deadline));
  return session;
}

void PgConnector::BreakIfOutdated(const PgSession& session, PgReply& reply) const {
  if (!IsOutdated(session)) return;
  reply.is_broken = true;
  reply.sqlstate.clear();
  reply.status = absl::UnavailableError("PostgreSQL: another server was promoted");
}

PgCall SettingsCall(const PostgresOptions& options) { return {.sql = SettingsSql(options.lock_timeout)}; }

absl::StatusOr<size_t> MaxLocksOfGroup(PgSession& session, absl::Duration deadline) {
  const PgReply reply = session.Run(
      {{.sql =
            "SELECT current_setting('max_locks_per_transaction')::bigint * (current_setting('max_connections')::bigint "
            "+ current_setting('max_prepared_transactions')::bigint)"}},
      deadline);
  HAPAX_RETURN_IF_ERROR(reply.status);
  const int64_t capacity = reply.rows[0].Bigint(0, 0);
  return static_cast<size_t>(std::clamp(capacity / kGroupsAtOnce, kFewestLocks, kMostLocks));
}

}  // namespace hapax
