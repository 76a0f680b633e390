#ifndef HAPAX_SERVER_SERVER_PARTS_H_
#define HAPAX_SERVER_SERVER_PARTS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/base/monitor.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/server/engine.h"
#include "hapax/server/grpc/service_host.h"
#include "hapax/server/grpc/tls_credentials.h"
#include "hapax/server/hosting/admin_service.h"
#include "hapax/server/hosting/expiry_keeper.h"
#include "hapax/server/hosting/handler_watch.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/ids.h"
#include "hapax/server/hosting/token_time_keeper.h"
#include "hapax/server/hosting/tokens_service.h"
#include "hapax/server/http/http_tls.h"
#include "hapax/server/http_front.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/server/server.h"
#include "hapax/server/store_watch.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// The parts of a server, in order of construction: each member uses only those above it.
struct Server::Parts {
  explicit Parts(ServerOptions its_options);

  ServerOptions options;
  std::shared_ptr<spdlog::logger> log;
  std::shared_ptr<spdlog::logger> call_log;
  const SystemClock clock;
  TokenTime token_time{clock};
  const TokenExpiry token_expiry{token_time.durable()};
  TimeOrderedIdSource ids{token_time.latest()};
  OperationWaiters waiters{static_cast<size_t>(options.max_calls_in_flight)};  // Each waits for a call in flight.
  const Operations operations{ids, waiters};
  std::optional<SealKeys> seal_keys;
  Engine engine;
  const std::shared_ptr<prometheus::Registry> metrics = std::make_shared<prometheus::Registry>();
  std::optional<WorkQueue> work;
  std::optional<TokenTimeKeeper> token_time_keeper;
  std::optional<ExpiryKeeper> expiry_keeper;
  std::optional<WorkerPool> workers;
  std::optional<WorkerPool> readers;
  std::optional<CallGate> gate;
  std::optional<TenantGate> tenant_gate;
  std::optional<HandlerWatch> handler_watch;
  std::optional<TokensService> tokens_service;
  std::optional<OperationsService> operations_service;
  std::optional<AdminService> admin_service;
  std::vector<std::unique_ptr<HostedService>> own_services;
  std::vector<const HostedService*> hosted;  // The services of the embedder, and own_services.
  HttpTls http_tls;                          // Of no use without tls.
  std::unique_ptr<TlsCredentials> tls;       // Null: connections are not encrypted.
  Authenticator* authenticator = nullptr;    // Owned by the chain.
  std::unique_ptr<const Chain> chain;
  std::unique_ptr<ServiceHost> host;
  std::unique_ptr<HttpFront> http;
  std::atomic<int> port = 0;       // 0 if it listens on none.
  std::atomic<int> http_port = 0;  // 0 if it listens on none.
  std::optional<StoreWatch> store_watch;

  mutable Monitor watching;
  absl::Status store_status ABSL_GUARDED_BY(watching);

  Monitor reloading;  // Held during a reload, and by End, after which no reload runs.
  bool has_ended ABSL_GUARDED_BY(reloading) = false;

  // The step that End waits for, in words.
  std::atomic<const char*> ending_step = "";
  // Set when no thread waits for End any more. From then on, End begins no further step.
  std::atomic<bool> end_is_abandoned = false;

  // Returns whether the next connection uses the current TLS files. Logs which files it uses.
  [[nodiscard]] bool ReloadTls();

  // Stops everything. May never return.
  void End(absl::Duration timeout);

 private:
  void EndCalls(absl::Duration timeout);
};

}  // namespace hapax

#endif  // HAPAX_SERVER_SERVER_PARTS_H_
