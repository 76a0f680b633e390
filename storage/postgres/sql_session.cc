#include "hapax/storage/postgres/sql_session.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/error.h"
#include "hapax/storage/postgres/layout.h"
#include "hapax/storage/postgres/requests.h"
#include "hapax/storage/postgres/sql_values.h"

namespace hapax {
namespace {

// What the engine sets for a session (SettingsCall) and a handler's statements have as its role does.
constexpr absl::string_view kHandlersSettings[] = {"search_path",
                                                   "enable_seqscan",
                                                   "enable_hashjoin",
                                                   "enable_mergejoin",
                                                   "enable_bitmapscan",
                                                   "jit",
                                                   "max_parallel_workers_per_gather",
                                                   "plan_cache_mode"};

// One row: what each setting was when the session began.
std::string DefaultsSql() {
  std::string sql = "SELECT";
  for (const absl::string_view name : kHandlersSettings) {
    absl::StrAppend(&sql, name == kHandlersSettings[0] ? " " : ", ",
                    "(SELECT reset_val::text FROM pg_settings WHERE name = '", name, "')");
  }
  return sql;
}

PgCall HandlersSettings(const PgRows& defaults) {
  PgCall call{.sql = "SELECT"};
  for (size_t i = 0; i < std::size(kHandlersSettings); ++i) {
    absl::StrAppend(&call.sql, i == 0 ? " " : ", ", "set_config('", kHandlersSettings[i], "', $", i + 1, ", true)");
    call.parameters.emplace_back(defaults.Bytes(0, static_cast<int>(i)));
  }
  return call;
}

// Whether the statement can neither end the transaction nor change the session. PostgreSQL takes one statement with
// parameters, and refuses to end a transaction within a function or procedure that runs in one.
bool IsAllowed(absl::string_view sql) {
  static constexpr absl::string_view kAllowed[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE",
                                                   "WITH",   "VALUES", "TABLE",  "LOCK"};
  sql = absl::StripLeadingAsciiWhitespace(sql);
  const auto end = std::find_if_not(sql.begin(), sql.end(), absl::ascii_isalpha);
  const std::string word = absl::AsciiStrToUpper(sql.substr(0, static_cast<size_t>(end - sql.begin())));
  return std::find(std::begin(kAllowed), std::end(kAllowed), word) != std::end(kAllowed);
}

absl::StatusCode CodeOf(absl::string_view sqlstate) {
  const absl::string_view kind = sqlstate.substr(0, 2);
  if (sqlstate == "23505") return absl::StatusCode::kAlreadyExists;
  if (sqlstate == "42501") return absl::StatusCode::kPermissionDenied;
  if (sqlstate == "55P03" || kind == "40") return absl::StatusCode::kAborted;
  if (kind == "23") return absl::StatusCode::kFailedPrecondition;
  if (kind == "22") return absl::StatusCode::kInvalidArgument;
  if (sqlstate == "53100") return absl::StatusCode::kResourceExhausted;  // The disk is full.
  // The connection, resources, an operator, the system; and a server that became a standby.
  const bool may_pass = kind == "08" || kind == "53" || kind == "57" || kind == "58" || IsReadOnly(sqlstate);
  return may_pass ? absl::StatusCode::kUnavailable : absl::StatusCode::kInternal;
}

constexpr char kLockTimeout[] = "55P03";
// What a handler's statements may have left in the session. The locks end once the rows are visible.
constexpr const char* kResets[] = {"SET SESSION AUTHORIZATION DEFAULT", "RESET ROLE", "RESET ALL", "DISCARD TEMP"};
constexpr char kUnlock[] = "SELECT pg_advisory_unlock_all()";

}  // namespace

absl::Status PgSqlSession::ConnectIfNeeded(absl::Duration deadline) {
  if (session_ != nullptr && session_->IsAlive() && !session_->is_in_transaction() &&
      !connector_.IsOutdated(*session_)) {
    return absl::OkStatus();
  }
  session_ = nullptr;
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<PgSession> session, connector_.Connect(/*wake_fd=*/-1, deadline));
  const PgReply defaults = session->Run({{.sql = DefaultsSql()}}, deadline);
  HAPAX_RETURN_IF_ERROR(defaults.status);
  handlers_settings_ = HandlersSettings(defaults.rows[0]);
  session_ = std::move(session);
  return absl::OkStatus();
}

absl::StatusOr<RemoteFetched> PgSqlSession::Begin(const RemoteFetch& fetch, const RemoteGroup& foreseen,
                                                  absl::Duration deadline) {
  deadline_ = deadline;
  failure_ = absl::OkStatus();
  HAPAX_RETURN_IF_ERROR(history_.status());
  HAPAX_RETURN_IF_ERROR(ConnectIfNeeded(std::min(deadline, MonotonicNow() + options_.attempt_timeout)));
  std::vector<PgCall> begin = isolation_.BeginGroup(foreseen);
  const size_t begin_size = begin.size();
  std::vector<PgCall> calls = FetchAndHoldCalls(fetch, std::move(begin));
  calls.push_back(handlers_settings_);
  PgReply reply = RunInTransaction(calls, std::min(deadline, MonotonicNow() + options_.attempt_timeout));
  if (reply.is_out_of_memory) isolation_.NoteOutOfMemory();
  if (reply.is_conflict || reply.sqlstate == kLockTimeout) return absl::AbortedError(reply.message);
  HAPAX_RETURN_IF_ERROR(reply.status);
  HAPAX_RETURN_IF_ERROR(history_.status());
  return FetchedOf(fetch, WithoutBegin(begin_size, std::move(reply)));
}

PgReply PgSqlSession::RunInTransaction(const std::vector<PgCall>& calls, absl::Duration deadline) {
  PgReply reply = session_->RunAndStayOpen(calls, deadline);
  connector_.BreakIfOutdated(*session_, reply);
  DropIfBroken(reply);
  return reply;
}

void PgSqlSession::DropIfBroken(const PgReply& reply) {
  if (reply.is_broken) session_ = nullptr;
}

absl::StatusOr<SqlResult> PgSqlSession::Execute(absl::string_view sql, absl::Span<const SqlValue> parameters) {
  if (!failure_.ok()) return failure_;
  if (session_ == nullptr || !session_->is_in_transaction()) {
    return absl::FailedPreconditionError("no transaction is open");
  }
  absl::StatusOr<PgTypedParameters> typed = PgParametersOf(parameters);
  absl::Status refusal = typed.status();
  if (sql.find('\0') != absl::string_view::npos) refusal = absl::InvalidArgumentError("the statement has a zero byte");
  if (!IsAllowed(sql)) {
    refusal = absl::InvalidArgumentError(
        "a statement begins with SELECT, INSERT, UPDATE, DELETE, MERGE, WITH, VALUES, TABLE or LOCK");
  }
  if (!refusal.ok()) return failure_ = std::move(refusal);
  const PgReply reply = RunInTransaction(
      {{.sql = std::string(sql), .typed = std::make_shared<const PgTypedParameters>(*std::move(typed))}}, deadline_);
  if (!reply.status.ok()) return Fail(reply);
  return SqlResultOf(reply.rows[0].result());
}

absl::Status PgSqlSession::Fail(const PgReply& reply) {
  if (reply.sqlstate.empty()) {
    failure_ = absl::UnavailableError(reply.status.message());
  } else {
    failure_ =
        WithSqlState(absl::Status(CodeOf(reply.sqlstate), absl::StrCat("PostgreSQL: ", reply.message)), reply.sqlstate);
  }
  return failure_;
}

RemoteCommitted PgSqlSession::Commit(const RemoteGroup& group) {
  if (!failure_.ok()) {
    Rollback();
    return {.outcome = RemoteCommitted::Outcome::kRefused, .status = failure_};
  }
  PgReply applied;
  applied.status = absl::UnavailableError("PostgreSQL ended the transaction");
  if (session_ != nullptr && session_->is_in_transaction()) {
    std::vector<PgCall> calls = {{.sql = "SET CONSTRAINTS ALL IMMEDIATE"}};
    for (const char* const reset : kResets) calls.push_back({.sql = reset});
    calls.push_back(SettingsCall(options_));
    calls.push_back(ApplyCall(group));
    applied = RunInTransaction(calls, MonotonicNow() + options_.attempt_timeout);
  }
  if (!applied.status.ok()) {
    Rollback();
    if (applied.rows.empty() && applied.was_sent) {
      static_cast<void>(Fail(applied));
    } else if (applied.is_conflict) {
      return {.outcome = RemoteCommitted::Outcome::kNotApplied, .slot = group.before};
    }
    return {.outcome = RemoteCommitted::Outcome::kRefused, .status = applied.status};
  }
  if (std::optional<RemoteCommitted> not_applied = NotAppliedOf(applied.rows.back())) {
    Rollback();
    return *std::move(not_applied);
  }
  PgReply reply =
      session_->Run({{.statement = kCommitStatement}, {.sql = kUnlock}}, MonotonicNow() + options_.attempt_timeout);
  connector_.BreakIfOutdated(*session_, reply);
  DropIfBroken(reply);
  if (reply.has_warning) session_ = nullptr;
  reply.rows.insert(reply.rows.begin(), std::move(applied.rows.back()));
  RemoteCommitted committed = CommittedOf(group.before, reply);
  if (committed.outcome == RemoteCommitted::Outcome::kApplied) {
    RemoteSlot after = group.before;
    ++after.seq;
    history_.NoteSlot(group.slot, after);
  }
  return committed;
}

void PgSqlSession::Rollback() {
  if (session_ == nullptr) return;
  DropIfBroken(session_->Run({{.sql = "ROLLBACK"}, {.sql = kUnlock}}, MonotonicNow() + options_.attempt_timeout));
}

}  // namespace hapax
