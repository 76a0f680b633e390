#include "hapax/storage/postgres/sql_session.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

constexpr int kBinary = 1;

// Types of PostgreSQL's catalog, whose numbers never change.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;

// Parameters as libpq takes them: bytes in binary format, all else as text of a type that the statement tells.
struct Parameters {
  absl::Status Add(const SqlValue& value) {
    const bool is_bytes = std::holds_alternative<SqlBytes>(value);
    is_null.push_back(std::holds_alternative<SqlNull>(value));
    types.push_back(is_bytes ? kBytea : 0);
    formats.push_back(is_bytes ? kBinary : 0);
    if (const auto* const flag = std::get_if<bool>(&value)) {
      texts.emplace_back(*flag ? "t" : "f");
    } else if (const auto* const integer = std::get_if<int64_t>(&value)) {
      texts.push_back(absl::StrCat(*integer));
    } else if (const auto* const number = std::get_if<double>(&value)) {
      texts.push_back(std::isinf(*number) ? (*number > 0 ? "Infinity" : "-Infinity")
                                          : absl::StrFormat("%.17g", *number));
    } else if (const auto* const text = std::get_if<std::string>(&value)) {
      if (text->find('\0') != std::string::npos) {
        return absl::InvalidArgumentError(absl::StrCat("$", texts.size() + 1, " is text with a zero byte"));
      }
      texts.push_back(*text);
    } else {
      texts.push_back(is_bytes ? std::get<SqlBytes>(value).bytes : "");
    }
    return absl::OkStatus();
  }

  std::vector<std::string> texts;
  std::vector<bool> is_null;
  std::vector<Oid> types;
  std::vector<int> formats;
};

// Whether the statement can neither end the transaction nor change the session. libpq takes one statement, and
// PostgreSQL refuses to end a transaction within a function or procedure that runs in one.
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
  if (kind == "42" || kind == "25" || kind == "2D" || kind == "P0") return absl::StatusCode::kInternal;
  return absl::StatusCode::kUnavailable;
}

absl::Status ErrorOf(const PGresult* result) {
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const absl::string_view state = sqlstate == nullptr ? "" : sqlstate;
  return WithSqlState(absl::Status(CodeOf(state), absl::StrCat("PostgreSQL: ", message == nullptr ? "" : message)),
                      state);
}

SqlValue ValueOf(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return SqlNull{};
  const char* const data = PQgetvalue(result, row, column);
  const absl::string_view text(data, static_cast<size_t>(PQgetlength(result, row, column)));
  int64_t integer = 0;
  double number = 0;
  switch (PQftype(result, column)) {
    case kBool:
      return text == "t";
    case kInt2:
    case kInt4:
    case kInt8:
      if (absl::SimpleAtoi(text, &integer)) return integer;
      break;
    case kFloat4:
    case kFloat8:
      if (absl::SimpleAtod(text, &number)) return number;
      break;
    case kBytea: {
      size_t size = 0;
      const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes(
          PQunescapeBytea(reinterpret_cast<const unsigned char*>(data), &size), PQfreemem);
      if (bytes != nullptr) return SqlBytes{std::string(bytes.get(), bytes.get() + size)};
      break;
    }
    default:
      break;
  }
  return std::string(text);
}

SqlResult ResultOf(const PGresult* result) {
  const int width = PQnfields(result);
  std::vector<std::string> columns;
  for (int column = 0; column < width; ++column) columns.emplace_back(PQfname(result, column));
  std::vector<std::vector<SqlValue>> rows(static_cast<size_t>(PQntuples(result)));
  for (size_t row = 0; row < rows.size(); ++row) {
    for (int column = 0; column < width; ++column) {
      rows[row].push_back(ValueOf(result, static_cast<int>(row), column));
    }
  }
  int64_t affected = 0;
  if (!absl::SimpleAtoi(PQcmdTuples(const_cast<PGresult*>(result)), &affected)) affected = 0;
  return {std::move(columns), std::move(rows), affected};
}

}  // namespace

absl::StatusOr<std::unique_ptr<PgSqlSession>> PgSqlSession::Connect(const std::string& conninfo) {
  PQconninfoOption* const parsed = PQconninfoParse(conninfo.c_str(), nullptr);
  if (parsed == nullptr) return absl::InvalidArgumentError("is not a connection string of PostgreSQL");
  PQconninfoFree(parsed);
  const std::array<const char*, 6> names = {"connect_timeout", "fallback_application_name", "dbname",
                                            "client_encoding", "target_session_attrs",      nullptr};
  const std::array<const char*, 6> values = {"2", "hapaxd", conninfo.c_str(), "UTF8", "read-write", nullptr};
  std::unique_ptr<PgSqlSession> session(
      new PgSqlSession(PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/1)));
  PGconn* const connection = session->connection_.get();
  if (PQstatus(connection) != CONNECTION_OK || PQsetnonblocking(connection, 1) != 0) {
    return session->Break(PQerrorMessage(connection));
  }
  PQsetNoticeReceiver(connection, OnNotice, session.get());
  return session;
}

void PgSqlSession::OnNotice(void* session, const PGresult* notice) {
  const char* const severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && absl::string_view(severity) == "WARNING") {
    static_cast<PgSqlSession*>(session)->has_warning_ = true;
  }
}

absl::Status PgSqlSession::Break(absl::string_view reason) {
  broken_ = true;
  return absl::UnavailableError(absl::StrCat("PostgreSQL: ", absl::StripAsciiWhitespace(reason)));
}

absl::Status PgSqlSession::Begin(absl::Duration deadline) {
  deadline_ = deadline;
  failure_ = absl::OkStatus();
  return Run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", {}).status();
}

absl::StatusOr<SqlResult> PgSqlSession::Execute(absl::string_view sql, absl::Span<const SqlValue> parameters) {
  if (!failure_.ok()) return failure_;
  absl::StatusOr<Result> result = PQtransactionStatus(connection_.get()) != PQTRANS_INTRANS
                                      ? absl::FailedPreconditionError("no transaction is open")
                                  : IsAllowed(sql)
                                      ? Run(std::string(sql), parameters)
                                      : absl::InvalidArgumentError(
                                            "a statement begins with SELECT, INSERT, UPDATE, DELETE, MERGE, "
                                            "WITH, VALUES, TABLE or LOCK");
  if (!result.ok()) {
    failure_ = result.status();
    return failure_;
  }
  return ResultOf(result->get());
}

absl::Status PgSqlSession::Commit() {
  if (!failure_.ok()) {
    HAPAX_RETURN_IF_ERROR(Rollback());
    return failure_;
  }
  if (PQtransactionStatus(connection_.get()) != PQTRANS_INTRANS) {
    return absl::FailedPreconditionError("no transaction is open");
  }
  has_warning_ = false;
  HAPAX_RETURN_IF_ERROR(Run("COMMIT", {}).status());
  return has_warning_ ? Break("the commit has a warning, and may not be on the standby") : absl::OkStatus();
}

absl::Status PgSqlSession::Rollback() {
  if (broken_) return absl::UnavailableError("PostgreSQL: the connection is broken");
  if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return absl::OkStatus();
  return Run("ROLLBACK", {}).status();
}

absl::StatusOr<PgSqlSession::Result> PgSqlSession::Run(const std::string& sql, absl::Span<const SqlValue> parameters) {
  if (broken_) return absl::UnavailableError("PostgreSQL: the connection is broken");
  if (sql.find('\0') != std::string::npos) return absl::InvalidArgumentError("the statement has a zero byte");
  Parameters given;
  for (const SqlValue& parameter : parameters) HAPAX_RETURN_IF_ERROR(given.Add(parameter));
  std::vector<const char*> data;
  std::vector<int> sizes;
  for (size_t i = 0; i < given.texts.size(); ++i) {
    data.push_back(given.is_null[i] ? nullptr : given.texts[i].c_str());
    sizes.push_back(static_cast<int>(given.texts[i].size()));
  }
  PGconn* const connection = connection_.get();
  if (PQsendQueryParams(connection, sql.c_str(), static_cast<int>(data.size()), given.types.data(), data.data(),
                        sizes.data(), given.formats.data(), /*resultFormat=*/0) == 0) {
    return Break(PQerrorMessage(connection));
  }
  Result last(nullptr, PQclear);
  for (;;) {
    HAPAX_RETURN_IF_ERROR(AwaitResult());
    Result next(PQgetResult(connection), PQclear);
    if (next == nullptr) break;
    last = std::move(next);
  }
  if (PQstatus(connection) != CONNECTION_OK || last == nullptr) return Break(PQerrorMessage(connection));
  const ExecStatusType status = PQresultStatus(last.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return ErrorOf(last.get());
  return last;
}

absl::Status PgSqlSession::AwaitResult() {
  PGconn* const connection = connection_.get();
  for (;;) {
    const int left_to_send = PQflush(connection);
    if (left_to_send < 0) return Break(PQerrorMessage(connection));
    if (PQisBusy(connection) == 0) return absl::OkStatus();
    const absl::Duration left = deadline_ - MonotonicNow();
    if (left <= absl::ZeroDuration()) return Break("did not answer in time");
    pollfd socket{.fd = PQsocket(connection),
                  .events = static_cast<short>(left_to_send > 0 ? POLLIN | POLLOUT : POLLIN),
                  .revents = 0};
    ::poll(&socket, 1, static_cast<int>(absl::ToInt64Milliseconds(left) + 1));
    if ((socket.revents & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
    if (PQconsumeInput(connection) == 0) return Break(PQerrorMessage(connection));
  }
}

}  // namespace hapax
