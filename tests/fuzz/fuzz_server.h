#ifndef HAPAX_TESTS_FUZZ_FUZZ_SERVER_H_
#define HAPAX_TESTS_FUZZ_FUZZ_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "hapax/interceptors/call_gate.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/seal_keys.h"
#include "hapax/interceptors/tenant_gate.h"
#include "hapax/interceptors/worker_pool.h"
#include "hapax/server/compute/catalog.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/places.h"
#include "hapax/server/hosted_service.h"
#include "hapax/server/ids.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/server/tokens_service.h"
#include "hapax/storage/clock.h"
#include "hapax/storage/rocksdb_store.h"
#include "hapax/tests/support/temp_dir.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// All of hapaxd but the wire, on a disk that does not sync: chain, store, and the compute, tokens and operations
// services. A tenant may have 8 instances and 2 hosts; there is room for any number of tenants. What is launched is
// never booted, so that nothing changes between a call and its retry.
//
// Thread-safety: as its parts.
class FuzzServer {
 public:
  FuzzServer();
  ~FuzzServer();
  FuzzServer(const FuzzServer&) = delete;
  FuzzServer& operator=(const FuzzServer&) = delete;

  [[nodiscard]] const Chain& chain() const { return *chain_; }
  // Those that answer at once: all but WaitOperation.
  [[nodiscard]] const std::vector<const Method*>& methods() const { return methods_; }
  // How many records of tokens the tenant has.
  [[nodiscard]] size_t TokensOf(const std::string& tenant);

 private:
  class IdleDriver;

  const TempDir dir_;
  const SystemClock clock_;
  spdlog::logger log_;
  const std::unique_ptr<RocksDbStore> store_;
  const SealKeys seal_keys_;
  const compute::Catalog catalog_;
  const std::unique_ptr<const compute::Places> places_;
  const ScopeResolver resolver_;
  TimeOrderedIdSource ids_{clock_};
  OperationWaiters waiters_{/*max_waiting=*/1};
  const Operations operations_{ids_, waiters_};
  const std::unique_ptr<WorkDriver> driver_;
  WorkQueue work_;
  const compute::ComputeService compute_;
  const std::unique_ptr<HostedService> hosted_compute_;
  const OperationsService operations_service_;
  const std::unique_ptr<HostedService> hosted_operations_;
  const TokensService tokens_;
  const std::unique_ptr<HostedService> hosted_tokens_;
  std::vector<const Method*> methods_;
  WorkerPool workers_{/*threads=*/1, /*max_waiting=*/1};
  CallGate gate_{/*max_in_flight=*/16};
  TenantGate tenant_gate_{TenantLimits{}, clock_};
  prometheus::Registry metrics_;
  std::unique_ptr<const Chain> chain_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_FUZZ_SERVER_H_
