#include "hapax/bench/peers/pg_connection.h"

#include <array>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

namespace hapax::bench {
namespace {

constexpr char kStatement[] = "run_once";
// The returned row tells whether the token is new, and otherwise has the recorded reply.
constexpr char kSql[] =
    "WITH record AS (INSERT INTO tokens (token, reply) VALUES ($1, $3) ON CONFLICT DO NOTHING RETURNING token),"
    " effect AS (INSERT INTO instances (id, client_token, data) SELECT $2, token, $3 FROM record) "
    "SELECT NULL::bytea FROM record UNION ALL SELECT reply FROM tokens WHERE token = $1";

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

PgConnection::~PgConnection() { PQfinish(connection_); }

bool PgConnection::Connect(const std::string& conninfo) {
  connection_ = PQconnectdb(conninfo.c_str());
  const Result prepared(
      PQstatus(connection_) == CONNECTION_OK ? PQprepare(connection_, kStatement, kSql, 0, nullptr) : nullptr, PQclear);
  if (PQresultStatus(prepared.get()) == PGRES_COMMAND_OK && PQsetnonblocking(connection_, 1) == 0 &&
      PQenterPipelineMode(connection_) == 1) {
    return true;
  }
  std::fputs(PQerrorMessage(connection_), stderr);
  return false;
}

void PgConnection::Attach(uv_loop_t* loop) {
  uv_poll_init(loop, &poll_, PQsocket(connection_));
  poll_.data = this;
  Watch(UV_READABLE);
}

void PgConnection::Run(Launch launch, Done done) { Send({.launch = std::move(launch), .done = std::move(done)}); }

void PgConnection::Send(Attempt attempt) {
  const std::array<const char*, 3> values = {attempt.launch.token.data(), attempt.launch.instance_id.data(),
                                             attempt.launch.reply.data()};
  const std::array<int, 3> lengths = {static_cast<int>(attempt.launch.token.size()),
                                      static_cast<int>(attempt.launch.instance_id.size()),
                                      static_cast<int>(attempt.launch.reply.size())};
  const std::array<int, 3> formats = {1, 1, 1};
  if (PQsendQueryPrepared(connection_, kStatement, 3, values.data(), lengths.data(), formats.data(), 1) == 0 ||
      PQpipelineSync(connection_) == 0) {
    attempt.done({grpc::StatusCode::UNAVAILABLE, PQerrorMessage(connection_)}, {});
    return;
  }
  pending_.push_back(std::move(attempt));
}

void PgConnection::Flush() {
  const int left = PQflush(connection_);
  if (left < 0) {
    FailAll();
  } else {
    Watch(left == 0 ? UV_READABLE : UV_READABLE | UV_WRITABLE);
  }
}

void PgConnection::Watch(int events) {
  uv_poll_start(&poll_, events, [](uv_poll_t* poll, int status, int happened) {
    static_cast<PgConnection*>(poll->data)->OnSocket(status, happened);
  });
}

void PgConnection::OnSocket(int status, int events) {
  if (status != 0) return FailAll();
  if ((events & UV_READABLE) != 0) {
    if (PQconsumeInput(connection_) == 0) return FailAll();
    Receive();
  }
  Flush();
}

void PgConnection::Receive() {
  while (!pending_.empty() && PQisBusy(connection_) == 0) {
    // Null ends the results of a statement.
    const Result result(PQgetResult(connection_), PQclear);
    if (result != nullptr) OnResult(result.get());
  }
}

void PgConnection::OnResult(PGresult* result) {
  Attempt& attempt = pending_.front();
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
      attempt.row_came = PQntuples(result) == 1;
      if (attempt.row_came && PQgetisnull(result, 0, 0) == 0) {
        attempt.launch.reply.assign(PQgetvalue(result, 0, 0), static_cast<size_t>(PQgetlength(result, 0, 0)));
      }
      break;
    case PGRES_PIPELINE_SYNC:
      OnCommitted();
      break;
    default:
      attempt.error = PQresultErrorMessage(result);
      break;
  }
}

void PgConnection::OnCommitted() {
  Attempt attempt = std::move(pending_.front());
  pending_.pop_front();
  if (!attempt.error.empty()) {
    attempt.done({grpc::StatusCode::UNAVAILABLE, attempt.error}, {});
  } else if (attempt.row_came) {
    attempt.done(grpc::Status::OK, attempt.launch.reply);
  } else {
    Send(std::move(attempt));
  }
}

void PgConnection::FailAll() {
  uv_poll_stop(&poll_);
  for (Attempt& attempt : std::exchange(pending_, {})) {
    attempt.done({grpc::StatusCode::UNAVAILABLE, PQerrorMessage(connection_)}, {});
  }
}

}  // namespace hapax::bench
