#include "hapax/bench/peers/pg_connection.h"

#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace hapax::bench {
namespace {

const char* NameOf(Mutation mutation) { return mutation == Mutation::kPost ? "post_once" : "launch_once"; }
constexpr std::string_view kSerializationFailure = "40001";
constexpr std::string_view kDeadlockDetected = "40P01";

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

PgConnection::~PgConnection() { PQfinish(connection_); }

bool PgConnection::Connect(const std::string& conninfo) {
  connection_ = PQconnectdb(conninfo.c_str());
  if (PQstatus(connection_) == CONNECTION_OK && Prepare(Mutation::kLaunch) && Prepare(Mutation::kPost) &&
      PQsetnonblocking(connection_, 1) == 0 && PQenterPipelineMode(connection_) == 1) {
    return true;
  }
  std::fputs(PQerrorMessage(connection_), stderr);
  return false;
}

bool PgConnection::Prepare(Mutation mutation) {
  const Result prepared(PQprepare(connection_, NameOf(mutation), statements_.Of(mutation).sql.c_str(), 0, nullptr),
                        PQclear);
  return PQresultStatus(prepared.get()) == PGRES_COMMAND_OK;
}

void PgConnection::Attach(uv_loop_t* loop) {
  uv_poll_init(loop, &poll_, PQsocket(connection_));
  poll_.data = this;
  Watch(UV_READABLE);
}

void PgConnection::Run(Change change, Done done) { Send({.change = std::move(change), .done = std::move(done)}); }

void PgConnection::Send(Attempt attempt) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  const auto add = [&](const std::string& value) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  };
  const Change& change = attempt.change;
  for (const std::string* value : {&change.token, &change.id, &change.reply, &change.effect}) add(*value);
  for (const std::string& value : statements_.Of(change.mutation).more) add(value);
  const std::vector<int> formats(values.size(), 1);
  if (PQsendQueryPrepared(connection_, NameOf(change.mutation), static_cast<int>(values.size()), values.data(),
                          lengths.data(), formats.data(), 1) == 0 ||
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
        attempt.change.reply.assign(PQgetvalue(result, 0, 0), static_cast<size_t>(PQgetlength(result, 0, 0)));
      }
      break;
    case PGRES_PIPELINE_SYNC:
      OnCommitted();
      break;
    default:
      attempt.error = PQresultErrorMessage(result);
      if (const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE); state != nullptr) {
        attempt.is_conflict = state == kSerializationFailure || state == kDeadlockDetected;
      }
      break;
  }
}

void PgConnection::OnCommitted() {
  Attempt attempt = std::move(pending_.front());
  pending_.pop_front();
  if (attempt.is_conflict) {
    Send({.change = std::move(attempt.change), .done = std::move(attempt.done)});
  } else if (!attempt.error.empty()) {
    attempt.done({grpc::StatusCode::UNAVAILABLE, attempt.error}, {});
  } else if (attempt.row_came) {
    attempt.done(grpc::Status::OK, attempt.change.reply);
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
