#ifndef HAPAX_TESTS_STORAGE_POSTGRES_POSTGRES_ENGINES_H_
#define HAPAX_TESTS_STORAGE_POSTGRES_POSTGRES_ENGINES_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/storage/remote/store.h"
#include "hapax/tests/storage/postgres/postgres_server.h"

// The engine over PostgreSQL for store_test.cc and its like, included by store_engines.h. All stores are in one
// database; each path has a schema of its own.
namespace hapax {

// A name that no other store has.
inline std::string NewOwner() {
  static std::atomic<int> number = 0;
  return absl::StrCat("process ", ++number);
}

template <PgIsolationKind kIsolation>
absl::StatusOr<std::unique_ptr<Store>> OpenPostgresStore(const StoreEngine::Options& options) {
  static auto& schemas = *new std::map<std::string, std::string>();
  std::string& schema = schemas[options.path];
  if (schema.empty()) schema = NewSchema();
  PostgresOptions postgres = SharedPostgres().Options(schema);
  postgres.isolation = kIsolation;
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<RemoteBackend> backend, OpenPostgresBackend(postgres));
  return std::make_unique<RemoteStore>(
      std::move(backend), RemoteOptions{.slot = "server", .owner = NewOwner(), .max_waiting = options.max_waiting});
}

inline const StoreEngine kStoreEngines[] = {
    {.name = "Postgres", .open = OpenPostgresStore<PgIsolationKind::kAdvisoryLocks>},
    {.name = "PostgresSerializable", .open = OpenPostgresStore<PgIsolationKind::kSerializable>},
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_POSTGRES_POSTGRES_ENGINES_H_
