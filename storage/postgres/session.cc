#include "hapax/storage/postgres/session.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/array.h"
#include "hapax/storage/postgres/error.h"

namespace hapax {
namespace {

constexpr int kText = 0;
constexpr int kBinary = 1;

absl::string_view FieldOf(const PGresult* result, int field) {
  const char* const text = PQresultErrorField(result, field);
  return text == nullptr ? "" : text;
}

// Pointers into parameters, as libpq takes them.
struct Values {
  explicit Values(const std::vector<std::string>& parameters) : formats(parameters.size(), kBinary) {
    for (const std::string& parameter : parameters) {
      data.push_back(parameter.data());
      sizes.push_back(static_cast<int>(parameter.size()));
    }
  }
  explicit Values(const PgTypedParameters& typed) : Values(typed.values) {
    formats = typed.formats;
    for (size_t i = 0; i < data.size(); ++i) {
      if (typed.is_null[i]) data[i] = nullptr;
    }
  }
  [[nodiscard]] int count() const { return static_cast<int>(data.size()); }

  std::vector<const char*> data;
  std::vector<int> sizes;
  std::vector<int> formats;
};

}  // namespace

std::string_view PgRows::Bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t PgRows::Bigint(int row, int column) const { return PgBigintOf(Bytes(row, column)); }

absl::StatusOr<std::unique_ptr<PgSession>> PgSession::Connect(const std::string& conninfo, int wake_fd) {
  HAPAX_ASSIGN_OR_RETURN(PgConnection connection, ConnectToPostgres(conninfo, wake_fd));
  std::unique_ptr<PgSession> session(new PgSession(std::move(connection), wake_fd));
  PQsetNoticeReceiver(session->connection_.get(), OnNotice, session.get());
  if (absl::Status begun = session->BeginPipeline(); !begun.ok()) return begun;
  return session;
}

void PgSession::OnNotice(void* session, const PGresult* notice) {
  if (FieldOf(notice, PG_DIAG_SEVERITY_NONLOCALIZED) == "WARNING")
    static_cast<PgSession*>(session)->has_warning_ = true;
}

absl::Status PgSession::LastError() const {
  return absl::UnavailableError(
      absl::StrCat("PostgreSQL: ", absl::StripAsciiWhitespace(PQerrorMessage(connection_.get()))));
}

absl::Status PgSession::BeginPipeline() {
  if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1) return LastError();
  return absl::OkStatus();
}

bool PgSession::IsAlive() {
  pollfd socket{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  if (socket.fd < 0) return false;
  // A server that ends says so before it closes the connection.
  if (::poll(&socket, 1, /*timeout=*/0) > 0) return false;
  return PQstatus(connection_.get()) == CONNECTION_OK;
}

bool PgSession::SendOne(const PgCall& call) {
  if (!call.sql.empty() && !call.statement.empty()) {
    return PQsendPrepare(connection_.get(), call.statement.c_str(), call.sql.c_str(), 0, nullptr) != 0;
  }
  if (call.typed != nullptr) {
    const Values values(*call.typed);
    return PQsendQueryParams(connection_.get(), call.sql.c_str(), values.count(), call.typed->types.data(),
                             values.data.data(), values.sizes.data(), values.formats.data(), kText) != 0;
  }
  const Values values(call.parameters);
  if (!call.sql.empty()) {
    return PQsendQueryParams(connection_.get(), call.sql.c_str(), values.count(), nullptr, values.data.data(),
                             values.sizes.data(), values.formats.data(), kBinary) != 0;
  }
  return PQsendQueryPrepared(connection_.get(), call.statement.c_str(), values.count(), values.data.data(),
                             values.sizes.data(), values.formats.data(), kBinary) != 0;
}

bool PgSession::Send(const std::vector<PgCall>& calls) {
  for (const PgCall& call : calls) {
    if (!SendOne(call)) return false;
  }
  return PQpipelineSync(connection_.get()) != 0;
}

PgReply PgSession::Run(const std::vector<PgCall>& calls, absl::Duration deadline) {
  return RunOnce(calls, deadline, /*may_stay_open=*/false);
}

PgReply PgSession::RunAndStayOpen(const std::vector<PgCall>& calls, absl::Duration deadline) {
  return RunOnce(calls, deadline, /*may_stay_open=*/true);
}

PgReply PgSession::RunOnce(const std::vector<PgCall>& calls, absl::Duration deadline, bool may_stay_open) {
  PgReply reply;
  has_warning_ = false;
  reply.was_sent = true;  // libpq sends what its buffer does not hold.
  if (Send(calls)) {
    Receive(deadline, reply);
  } else {
    reply.status = LastError();
    reply.is_broken = true;
  }
  const bool stays_open = may_stay_open && reply.status.ok();
  if (!reply.is_broken && !stays_open && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
    PgReply rolled_back;
    if (Send({PgCall{.sql = "ROLLBACK"}})) Receive(deadline, rolled_back);
    // An error is the answer to the calls all the same: a transaction that failed is never committed.
    if (reply.status.ok()) reply.status = absl::InternalError("the calls left a transaction open");
    reply.is_broken = PQtransactionStatus(connection_.get()) != PQTRANS_IDLE || rolled_back.is_broken;
  }
  reply.has_warning = has_warning_;
  return reply;
}

void PgSession::Receive(absl::Duration deadline, PgReply& reply) {
  for (;;) {
    if (absl::Status waited = AwaitResult(deadline); !waited.ok()) {
      reply.status.Update(waited);
      reply.is_broken = true;
      return;
    }
    PGresult* const result = PQgetResult(connection_.get());
    if (result == nullptr) continue;  // Ends the results of one call.
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      return;
    }
    OnResult(result, reply);
  }
}

absl::Status PgSession::AwaitResult(absl::Duration deadline) {
  for (;;) {
    const int left_to_send = PQflush(connection_.get());
    if (left_to_send < 0 || PQstatus(connection_.get()) != CONNECTION_OK) return LastError();
    if (PQisBusy(connection_.get()) == 0) return absl::OkStatus();
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) return absl::UnavailableError("PostgreSQL did not answer in time");
    std::array<pollfd, 2> sources = {pollfd{.fd = PQsocket(connection_.get()),
                                            .events = static_cast<short>(left_to_send > 0 ? POLLIN | POLLOUT : POLLIN),
                                            .revents = 0},
                                     pollfd{.fd = wake_fd_, .events = POLLIN, .revents = 0}};
    ::poll(sources.data(), sources.size(), static_cast<int>(absl::ToInt64Milliseconds(left) + 1));
    if (sources[1].revents != 0) return absl::UnavailableError("the connection to PostgreSQL is closing");
    if ((sources[0].revents & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
    if (PQconsumeInput(connection_.get()) == 0) return LastError();
  }
}

void PgSession::OnResult(PGresult* result, PgReply& reply) {
  PgRows rows(result);
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
      reply.rows.push_back(std::move(rows));
      return;
    case PGRES_PIPELINE_ABORTED:
      return;  // It follows the one that failed.
    default:
      reply.sqlstate = std::string(FieldOf(result, PG_DIAG_SQLSTATE));
      reply.message = std::string(FieldOf(result, PG_DIAG_MESSAGE_PRIMARY));
      reply.status.Update(PgErrorOf(reply.sqlstate, reply.message));
      reply.is_conflict |= IsConflict(reply.sqlstate);
      reply.is_out_of_memory |= IsOutOfMemory(reply.sqlstate);
      reply.is_broken |= IsReadOnly(reply.sqlstate) || PQstatus(connection_.get()) != CONNECTION_OK;
  }
}

}  // namespace hapax
