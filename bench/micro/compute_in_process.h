#ifndef HAPAX_BENCH_MICRO_COMPUTE_IN_PROCESS_H_
#define HAPAX_BENCH_MICRO_COMPUTE_IN_PROCESS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/placement/places.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/ids.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/rocksdb/store.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax::bench {

// A launch without a network: made from bytes, it keeps the reply instead of sending it.
class LaunchCall final : public UnaryCall {
 public:
  LaunchCall(const Method& run_instances, std::string bytes) : UnaryCall(run_instances), bytes_(std::move(bytes)) {}

  [[nodiscard]] std::string_view request_bytes() const override { return bytes_; }
  [[nodiscard]] MetadataValues Metadata(std::string_view /*key*/) const override { return {}; }
  [[nodiscard]] absl::Time deadline() const override { return absl::InfiniteFuture(); }
  [[nodiscard]] bool IsCancelled() const override { return false; }

  // Waits for the end.
  [[nodiscard]] const absl::StatusOr<std::string>& reply() const {
    ended_.WaitForNotification();
    return reply_;
  }

 private:
  void Send(absl::StatusOr<std::string> reply) override {
    reply_ = std::move(reply);
    ended_.Notify();
  }

  const std::string bytes_;
  absl::Notification ended_;
  absl::StatusOr<std::string> reply_;
};

// The serialized RunInstancesRequest of a load (messages.h) with this token.
[[nodiscard]] std::string LaunchBytes(std::string_view token);

// A server with the compute service but without the network: chain, store, handlers. Launched instances are never
// booted. Log lines are formatted and discarded.
//
// Thread-safety: that of its parts.
class ComputeInProcess {
 public:
  // `directory` holds the data.
  explicit ComputeInProcess(const std::string& directory);
  ~ComputeInProcess();

  [[nodiscard]] const Chain& chain() const { return chain_; }
  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] const Method& run_instances() const;

 private:
  // A driver of work that is never done.
  class IdleDriver;

  const SystemClock clock_;
  const TokenTime token_time_{clock_};
  spdlog::logger log_;
  const std::unique_ptr<Store> store_;
  const SealKeys seal_keys_;
  const compute::Catalog catalog_;
  const std::unique_ptr<const compute::Places> places_;
  TimeOrderedIdSource ids_{clock_};
  OperationWaiters waiters_;
  const Operations operations_{ids_, waiters_};
  const std::unique_ptr<WorkDriver> driver_;
  WorkQueue work_;
  compute::ComputeService service_;
  const std::unique_ptr<HostedService> hosted_;
  WorkerPool workers_;
  CallGate gate_;
  TenantGate tenant_gate_{TenantLimits{}, clock_};
  prometheus::Registry metrics_;
  const Chain chain_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_MICRO_COMPUTE_IN_PROCESS_H_
