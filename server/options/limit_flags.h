#ifndef HAPAX_SERVER_OPTIONS_LIMIT_FLAGS_H_
#define HAPAX_SERVER_OPTIONS_LIMIT_FLAGS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "hapax/interceptors/limits/request_limits.h"
#include "hapax/interceptors/limits/scheduling.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/server/options/connection_limits.h"

namespace hapax {

// The command line's limits, checked. Each is documented at its flag, in limit_flags.cc.
struct LimitFlags {
  int max_calls_in_flight = 0;
  size_t max_waiting_transactions = 0;
  int64_t max_tokens_per_tenant = 0;
  int64_t max_token_bytes_per_tenant = 0;
  int64_t max_abandoned_tokens_per_tenant = 0;
  MessageBudget::Options request_budget;
  MessageBudget::Options reply_budget = Scheduling::kReplies;
  RequestLimits request;
  TenantLimits tenant;
  ConnectionLimits connections;
};

// Reads the limits from the parsed command line.
// Errors: INVALID_ARGUMENT, naming the flag and what is allowed.
[[nodiscard]] absl::StatusOr<LimitFlags> ParseLimitFlags();

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_LIMIT_FLAGS_H_
