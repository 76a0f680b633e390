#ifndef HAPAX_TESTS_SERVER_SUPPORT_COMPUTE_SERVER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_COMPUTE_SERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/scope.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/hypervisor/hypervisor.h"
#include "hapax/server/compute/placement/places.h"
#include "hapax/server/hosting/ids.h"
#include "hapax/server/hosting/tokens_service.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/server/support/stepped_driver.h"
#include "hapax/tests/server/support/test_compute.h"
#include "rocksdb/env.h"
#include "spdlog/logger.h"

namespace hapax::compute {

// All of hapaxd but gRPC, on a data directory that others may have used before: the store, the work queue, the compute
// service with its operations, the tokens service, and the chain.
//
// Thread-safety: Call and Start are safe; the rest is for one thread.
// Lifetime: clock and hypervisor outlive it. Before its end the hypervisor has done all it was told, or forgets it.
class ComputeServer {
 public:
  struct Options {
    std::string data_dir;
    v1::Catalog catalog = SmallCatalog();
    StepHook on_step;                           // Null for none.
    std::optional<SealKeys> seal_keys;          // None: keys that nobody else has.
    rocksdb::Env* env = nullptr;                // Where its files are; null means the machine's.
    std::function<void(std::string_view)> log;  // Gets the store's lines; null for nobody.
    // How soon it is tried again what failed because the disk did.
    absl::Duration retry_delay = absl::Seconds(1);
  };

  // Takes up what an earlier server left.
  ComputeServer(const Options& options, Hypervisor& hypervisor, const Clock& clock);
  // Likewise, when that may fail. Errors: the store's.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ComputeServer>> Open(const Options& options,
                                                                           Hypervisor& hypervisor, const Clock& clock);
  ~ComputeServer();
  ComputeServer(const ComputeServer&) = delete;
  ComputeServer& operator=(const ComputeServer&) = delete;

  [[nodiscard]] ChainReply Call(const std::string& method, const google::protobuf::Message& request,
                                const std::string& tenant = kTenant) const {
    return client_->Call(method, request, tenant);
  }
  [[nodiscard]] std::unique_ptr<FakeCall> Start(const std::string& method, const google::protobuf::Message& request,
                                                const std::string& tenant = kTenant) const {
    return client_->Start(method, request, tenant);
  }

  // The tenant's instances and operations.
  [[nodiscard]] std::vector<v1::Instance> Instances() const;
  [[nodiscard]] std::vector<external::longrunning::Operation> AllOperations() const;

  // How much work was taken up at the start.
  [[nodiscard]] int resumed() const { return resumed_; }
  // Returns when `count` pieces of work in all are written down as done.
  void AwaitCompleted(int count) { completions_.Await(count); }
  // How much work is written down as open.
  [[nodiscard]] int OpenWork() const;
  // As Store::Compact.
  [[nodiscard]] absl::Status Compact() { return store_->Compact(); }

 private:
  struct Opened {
    std::unique_ptr<const Catalog> catalog;
    std::unique_ptr<const TokenExpiry> expiry;
    std::unique_ptr<Store> store;
    std::unique_ptr<const Places> places;
  };
  [[nodiscard]] static absl::StatusOr<Opened> OpenParts(const Options& options, const Clock& clock);
  ComputeServer(const Options& options, Hypervisor& hypervisor, const Clock& clock, Opened opened);
  [[nodiscard]] absl::Status StartServing(const Clock& clock);

  const std::unique_ptr<spdlog::logger> logger_;
  const std::unique_ptr<const Catalog> catalog_;
  const std::unique_ptr<const TokenExpiry> expiry_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<const Places> places_;
  const SystemClock clock_;
  TimeOrderedIdSource ids_{clock_};
  std::unique_ptr<OperationWaiters> waiters_;
  const Operations operations_;
  Completions completions_;
  std::vector<std::unique_ptr<WorkDriver>> drivers_;
  WorkQueue work_;
  int resumed_ = 0;
  const ComputeService compute_service_;
  const std::unique_ptr<HostedService> hosted_compute_;
  const OperationsService operations_service_;
  const std::unique_ptr<HostedService> hosted_operations_;
  const SealKeys seal_keys_;
  const ScopeResolver resolver_;
  const TokenTime token_time_;
  const TokensService tokens_service_;
  const std::unique_ptr<HostedService> hosted_tokens_;
  std::unique_ptr<ChainClient> client_;
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_SUPPORT_COMPUTE_SERVER_H_
