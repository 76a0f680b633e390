#include "hapax/bench/peers/pg_boots.h"

#include <cstdio>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace hapax::bench {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(100);
constexpr int kMostAtOnce = 1024;
constexpr char kStatement[] = "complete";
std::string Sql() {
  return absl::StrCat(
      "WITH done AS (DELETE FROM work WHERE ctid = ANY (ARRAY(SELECT ctid FROM work WHERE due <= now() "
      "ORDER BY due, id LIMIT ",
      kMostAtOnce,
      " FOR UPDATE SKIP LOCKED)) RETURNING id) "
      "UPDATE instances SET state = 'running' FROM done WHERE instances.id = done.id");
}

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

PgBoots::~PgBoots() {
  if (thread_.joinable()) {
    stopping_.Notify();
    thread_.join();
  }
  PQfinish(connection_);
}

bool PgBoots::Start(const std::string& conninfo) {
  connection_ = PQconnectdb(conninfo.c_str());
  const Result prepared(
      PQstatus(connection_) == CONNECTION_OK ? PQprepare(connection_, kStatement, Sql().c_str(), 0, nullptr) : nullptr,
      PQclear);
  if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) {
    std::fputs(PQerrorMessage(connection_), stderr);
    return false;
  }
  thread_ = std::thread([this] { Run(); });
  return true;
}

void PgBoots::Run() {
  while (!stopping_.WaitForNotificationWithTimeout(kPause)) {
    while (CompleteSome() == kMostAtOnce && !stopping_.HasBeenNotified()) {
    }
  }
}

int PgBoots::CompleteSome() {
  const Result result(PQexecPrepared(connection_, kStatement, 0, nullptr, nullptr, nullptr, 0), PQclear);
  int count = 0;
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK && absl::SimpleAtoi(PQcmdTuples(result.get()), &count)) {
    return count;
  }
  std::fputs(PQerrorMessage(connection_), stderr);
  return -1;
}

}  // namespace hapax::bench
