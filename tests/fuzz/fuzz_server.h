#ifndef HAPAX_TESTS_FUZZ_FUZZ_SERVER_H_
#define HAPAX_TESTS_FUZZ_FUZZ_SERVER_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/instances/power.h"
#include "hapax/server/compute/placement/places.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/tokens_service.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/testing/counted_ids.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/fuzz/memory_store.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// All of hapaxd but the wire and the disk: the chain, and the compute, tokens and operations services. What it does
// depends on nothing but the calls since Reset: ids are counted, the clock stands still, and an instance boots, stops,
// starts or shuts down when FinishWork says so. Who waits for an operation is answered at once. A tenant may have 8
// instances and 2 hosts.
//
// Thread-safety: the chain's; the rest is for one thread.
class FuzzServer {
 public:
  FuzzServer();
  ~FuzzServer();
  FuzzServer(const FuzzServer&) = delete;
  FuzzServer& operator=(const FuzzServer&) = delete;

  // Forgets everything.
  void Reset();
  // Whether it is as after Reset: nothing is stored.
  [[nodiscard]] bool IsUntouched() const { return store_.tables() == at_first_; }

  [[nodiscard]] const Chain& chain() const { return *chain_; }
  [[nodiscard]] const std::vector<const Method*>& methods() const { return methods_; }
  [[nodiscard]] const Method& MethodNamed(std::string_view name) const;
  [[nodiscard]] const MemoryStore& store() const { return store_; }
  [[nodiscard]] ManualClock& clock() { return clock_; }

  // Writes down all open work as done: what WorkQueue does, by and by, on a thread of its own.
  void FinishWork();

 private:
  // Gets nothing done by itself.
  class IdleHypervisor;

  ManualClock clock_;
  TokenTime token_time_{clock_};
  spdlog::logger log_;
  MemoryStore store_;
  const SealKeys seal_keys_;
  const compute::Catalog catalog_;
  const std::unique_ptr<const compute::Places> places_;
  const MemoryStore::Tables at_first_;
  const ScopeResolver resolver_;
  CountedIds ids_;
  OperationWaiters waiters_{/*max_waiting=*/1};
  const Operations operations_{ids_, waiters_};
  const std::unique_ptr<compute::Hypervisor> hypervisor_;
  std::map<std::string_view, std::unique_ptr<WorkDriver>> drivers_;
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
