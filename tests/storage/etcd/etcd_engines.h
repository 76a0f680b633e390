#ifndef HAPAX_TESTS_STORAGE_ETCD_ETCD_ENGINES_H_
#define HAPAX_TESTS_STORAGE_ETCD_ETCD_ENGINES_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/backend.h"
#include "hapax/storage/remote/store.h"
#include "hapax/tests/storage/etcd/etcd_cluster.h"

// The engine over etcd for store_test.cc and its like, included by store_engines.h. All stores are in one cluster; each
// path has a prefix of its own.
namespace hapax {

// The limits of the clusters that tests start.
inline constexpr EtcdLimits kTestLimits = {.max_txn_ops = 8192, .max_request_bytes = 1572864};

// A backend on a cluster without the checks of a start, which take longer than a test.
inline absl::StatusOr<std::unique_ptr<RemoteBackend>> ConnectBackend(const EtcdOptions& options,
                                                                     const std::string& prefix) {
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<EtcdClient> client, EtcdClient::Create(options));
  return MakeEtcdBackend(std::move(client), prefix, kTestLimits);
}

// A name that no other store has.
inline std::string NewOwner() {
  static std::atomic<int> number = 0;
  return absl::StrCat("process ", ++number);
}

inline absl::StatusOr<std::unique_ptr<Store>> OpenEtcdStore(const StoreEngine::Options& options) {
  static auto& prefixes = *new std::map<std::string, std::string>();
  std::string& prefix = prefixes[options.path];
  if (prefix.empty()) prefix = NewPrefix();
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<RemoteBackend> backend, ConnectBackend(SharedEtcd().ClientOptions(), prefix));
  return std::make_unique<RemoteStore>(
      std::move(backend), RemoteOptions{.slot = "server", .owner = NewOwner(), .max_waiting = options.max_waiting});
}

inline const StoreEngine kStoreEngines[] = {{.name = "Etcd", .open = OpenEtcdStore}};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ETCD_ETCD_ENGINES_H_
