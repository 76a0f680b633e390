// RunInstances with its tokens in PostgreSQL: record and effect in one transaction.
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
#include "hapax/bench/peers/pg_connection.h"

ABSL_FLAG(std::string, conninfo, "", "Where PostgreSQL is, such as `host=/run/postgresql dbname=postgres`");
ABSL_FLAG(int, connections, 16, "Connections to PostgreSQL, each a process there that commits one launch at a time");

namespace hapax::bench {
namespace {

class PostgresBackend final : public Backend {
 public:
  // If there is no PostgreSQL, prints why and returns false.
  bool Connect() {
    for (int i = 0; i < absl::GetFlag(FLAGS_connections); ++i) {
      connections_.push_back(std::make_unique<PgConnection>());
      if (!connections_.back()->Connect(absl::GetFlag(FLAGS_conninfo))) return false;
    }
    loop_ = std::make_unique<Loop>();
    loop_->Post([this] {
      for (const auto& connection : connections_) connection->Attach(loop_->uv());
    });
    return true;
  }

  void RunOnce(Launch launch, Done done) override {
    loop_->Post([this, launch = std::move(launch), done = std::move(done)]() mutable {
      PgConnection& connection =
          **std::min_element(connections_.begin(), connections_.end(),
                             [](const auto& a, const auto& b) { return a->pending() < b->pending(); });
      connection.Run(std::move(launch), std::move(done));
      connection.Flush();
    });
  }

 private:
  std::vector<std::unique_ptr<PgConnection>> connections_;
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
