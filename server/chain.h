#ifndef HAPAX_SERVER_CHAIN_H_
#define HAPAX_SERVER_CHAIN_H_

#include <memory>
#include <string>
#include <vector>

#include "hapax/base/clock.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/request_limits.h"
#include "hapax/interceptors/limits/scheduling.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/storage/store.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// The parts of the chain besides the authenticator. All outlive the chain.
struct ChainParts {
  Store& store;
  WorkerPool& workers;  // For Method::prepare.
  WorkerPool& readers;  // For reads that may be long.
  CallGate& gate;
  TenantGate& tenant_gate;
  const SealKeys& seal_keys;
  const Clock& clock;
  const TokenTime& token_time;
  prometheus::Registry& registry;
  spdlog::logger& call_log;
};

struct ChainOptions {
  // The region of a call that neither names nor implies one.
  std::string default_region;
  TokenPolicy policy;
  MessageBudget::Options request_budget = {};
  MessageBudget::Options reply_budget = Scheduling::kReplies;
  // Limits on the contents of a request; a method's rule may set lower ones.
  RequestLimits request;
};

// The interceptors around every hosted method, in order. `own` are an embedder's (ServerOptions::interceptors).
[[nodiscard]] Chain BuildChain(const ChainOptions& options, const ChainParts& parts,
                               std::unique_ptr<Authenticator> authenticator,
                               std::vector<std::unique_ptr<UnaryInterceptor>> own = {});

}  // namespace hapax

#endif  // HAPAX_SERVER_CHAIN_H_
