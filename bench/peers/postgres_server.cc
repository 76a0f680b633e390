// Mutations with their tokens in PostgreSQL: record and effect in one transaction.
#include <uv.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "hapax/bench/peers/facade.h"
#include "hapax/bench/peers/loop.h"
#include "hapax/bench/peers/pg_boots.h"
#include "hapax/bench/peers/pg_connection.h"

ABSL_FLAG(std::string, conninfo, "", "Where PostgreSQL is, such as `host=/run/postgresql dbname=postgres`");
ABSL_FLAG(int, connections, 16, "Connections to PostgreSQL, each a process there that commits one change at a time");
ABSL_FLAG(bool, whole_launch, false,
          "Keep what a launch of Hapax keeps: besides record and effect its open work, the room in its zone, and what "
          "its tenant has; and boot the instances");
ABSL_FLAG(std::string, zone, "a", "With --whole_launch: the zone of all launches");
ABSL_FLAG(std::string, tenant, "default", "With --whole_launch: the tenant of all launches");

namespace hapax::bench {
namespace {

constexpr char kLaunch[] =
    "WITH record AS (INSERT INTO tokens (token, reply) VALUES ($1, $3) ON CONFLICT DO NOTHING RETURNING token),"
    " effect AS (INSERT INTO instances (id, client_token, data) SELECT $2, token, $4 FROM record) "
    "SELECT NULL::bytea FROM record UNION ALL SELECT reply FROM tokens WHERE token = $1";

constexpr char kPostOnce[] =
    "WITH record AS (INSERT INTO tokens (token, reply) VALUES ($1, $3) ON CONFLICT DO NOTHING RETURNING token),"
    " effect AS (INSERT INTO postings (id, data) SELECT $2, $4 FROM record) "
    "SELECT NULL::bytea FROM record UNION ALL SELECT reply FROM tokens WHERE token = $1";

// The counters come last, so that their rows are locked only for the rest of the statement and the commit. All
// statements lock them in the same order.
constexpr char kWholeLaunch[] =
    "WITH record AS (INSERT INTO tokens (token, reply) VALUES ($1, $3) ON CONFLICT DO NOTHING RETURNING token),"
    " effect AS (INSERT INTO instances (id, client_token, data) SELECT $2, token, $4 FROM record),"
    " boot AS (INSERT INTO work (id) SELECT $2 FROM record),"
    " zone AS (INSERT INTO zones AS z (name, used) SELECT $5, 1 FROM record"
    "  ON CONFLICT (name) DO UPDATE SET used = z.used + 1),"
    " tenant AS (INSERT INTO tenants AS t (name, instances) SELECT $6, 1 FROM record"
    "  ON CONFLICT (name) DO UPDATE SET instances = t.instances + 1) "
    "SELECT NULL::bytea FROM record UNION ALL SELECT reply FROM tokens WHERE token = $1";

PgStatements Statements() {
  PgStatements statements{.launch = {.sql = kLaunch, .more = {}}, .post = {.sql = kPostOnce, .more = {}}};
  if (absl::GetFlag(FLAGS_whole_launch)) {
    statements.launch = {.sql = kWholeLaunch, .more = {absl::GetFlag(FLAGS_zone), absl::GetFlag(FLAGS_tenant)}};
  }
  return statements;
}

class PostgresBackend final : public Backend {
 public:
  // If there is no PostgreSQL, prints why and returns false.
  bool Connect() {
    const std::string conninfo = absl::GetFlag(FLAGS_conninfo);
    for (int i = 0; i < absl::GetFlag(FLAGS_connections); ++i) {
      connections_.push_back(std::make_unique<PgConnection>(statements_));
      if (!connections_.back()->Connect(conninfo)) return false;
    }
    if (absl::GetFlag(FLAGS_whole_launch) && !boots_.Start(conninfo)) return false;
    loop_ = std::make_unique<Loop>();
    loop_->Post([this] {
      for (const auto& connection : connections_) connection->Attach(loop_->uv());
    });
    return true;
  }

  void RunOnce(Change change, Done done) override {
    loop_->Post([this, change = std::move(change), done = std::move(done)]() mutable {
      PgConnection& connection =
          **std::min_element(connections_.begin(), connections_.end(),
                             [](const auto& a, const auto& b) { return a->pending() < b->pending(); });
      connection.Run(std::move(change), std::move(done));
      connection.Flush();
    });
  }

 private:
  const PgStatements statements_ = Statements();
  std::vector<std::unique_ptr<PgConnection>> connections_;
  PgBoots boots_;
  // Destroyed before the connections that it watches.
  std::unique_ptr<Loop> loop_;
};

}  // namespace
}  // namespace hapax::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return hapax::bench::Serve("bench_postgres", []() -> std::unique_ptr<hapax::bench::Backend> {
    auto backend = std::make_unique<hapax::bench::PostgresBackend>();
    if (!backend->Connect()) return nullptr;
    return backend;
  });
}
