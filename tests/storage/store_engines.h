#ifndef HAPAX_TESTS_STORAGE_STORE_ENGINES_H_
#define HAPAX_TESTS_STORAGE_STORE_ENGINES_H_

#include <cstddef>
#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/memory/store.h"
#include "hapax/storage/remote/store.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/store.h"
#include "hapax/tests/storage/remote/cluster_backend.h"

// The engines that store_test.cc and its like (store_*_test.cc) try: another one is one more entry.
namespace hapax {

struct StoreEngine {
  struct Options {
    std::string path;  // A directory of the test's own; opened again, it is the same store.
    size_t max_waiting = 4096;
    const ExpiryRule* expiry = nullptr;
  };

  std::string name;
  absl::StatusOr<std::unique_ptr<Store>> (*open)(const Options& options);
  // Whether a query keeps the caller's thread: then TryQuery has a bound.
  bool queries_on_callers_thread = false;
  // What it offers beside transactions.
  bool compacts = false;
  bool makes_backups = false;
};

inline std::ostream& operator<<(std::ostream& out, const StoreEngine& engine) { return out << engine.name; }

}  // namespace hapax

#ifdef HAPAX_STORE_ENGINES
#include HAPAX_STORE_ENGINES  // Those of another program.
#else
namespace hapax {

inline const StoreEngine kStoreEngines[] = {
    {.name = "RocksDb",
     .open =
         [](const StoreEngine::Options& options) {
           return OpenRocksDbStore(
               {.path = options.path, .max_waiting = options.max_waiting, .expiry = options.expiry});
         },
     .queries_on_callers_thread = true,
     .compacts = true,
     .makes_backups = true},
    {.name = "Memory",
     .open = [](const StoreEngine::Options& options) -> absl::StatusOr<std::unique_ptr<Store>> {
       static auto& tables = *new std::map<std::string, std::shared_ptr<MemoryTables>>();
       std::shared_ptr<MemoryTables>& kept = tables[options.path];
       if (kept == nullptr) kept = MakeMemoryTables();
       return MakeMemoryStore({.tables = kept, .max_waiting = options.max_waiting, .expiry = options.expiry});
     },
     .queries_on_callers_thread = true,
     .compacts = true},
    // What engines over a network share, on a simulated database.
    {.name = "Remote",
     .open = [](const StoreEngine::Options& options) -> absl::StatusOr<std::unique_ptr<Store>> {
       static auto& clusters = *new std::map<std::string, std::shared_ptr<SharedCluster>>();
       static int starts = 0;
       std::shared_ptr<SharedCluster>& kept = clusters[options.path];
       if (kept == nullptr) kept = std::make_shared<SharedCluster>();
       return std::make_unique<RemoteStore>(
           std::make_unique<ClusterBackend>(kept),
           RemoteOptions{
               .slot = "server", .owner = absl::StrCat("start ", ++starts), .max_waiting = options.max_waiting});
     }},
};

}  // namespace hapax
#endif

#endif  // HAPAX_TESTS_STORAGE_STORE_ENGINES_H_
