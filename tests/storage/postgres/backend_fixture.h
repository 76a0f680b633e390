#ifndef HAPAX_TESTS_STORAGE_POSTGRES_BACKEND_FIXTURE_H_
#define HAPAX_TESTS_STORAGE_POSTGRES_BACKEND_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>

#include "hapax/storage/postgres/backend.h"
#include "hapax/tests/storage/postgres/postgres_server.h"
#include "hapax/tests/storage/remote_backend_fixture.h"

namespace hapax {

inline std::unique_ptr<RemoteBackend> OpenBackend(const PostgresOptions& options) {
  auto backend = OpenPostgresBackend(options);
  EXPECT_THAT(backend, IsOk());
  return *std::move(backend);
}

class PostgresBackendTest : public RemoteBackendFixture {
 protected:
  PostgresBackendTest() {
    proxy_ = std::make_unique<TcpProxy>(SharedPostgres().endpoint(), PostgresMessages());
    backend_ = OpenBackend(SharedPostgres().Options(schema_));
    slot_ = Taken(*backend_);
  }

  std::unique_ptr<RemoteBackend> OpenThroughProxy() {
    PostgresOptions options = SharedPostgres().Options(schema_);
    options.conninfo = SharedPostgres().Conninfo(proxy_->endpoint());
    auto backend = OpenBackend(options);
    slot_ = Taken(*backend);  // So that its connections are made.
    return backend;
  }

  const std::string schema_ = NewSchema();
};

// What each backend promises is tried on this one (remote_backend_test.cc).
using RemoteBackendTest = PostgresBackendTest;

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_POSTGRES_BACKEND_FIXTURE_H_
