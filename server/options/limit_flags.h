#ifndef HAPAX_SERVER_OPTIONS_LIMIT_FLAGS_H_
#define HAPAX_SERVER_OPTIONS_LIMIT_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "hapax/interceptors/limits/request_limits.h"
#include "hapax/interceptors/limits/scheduling.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/server/options/connection_limits.h"

namespace hapax {

// The limits of the command line. Each is documented at its flag, in limit_flags.cc. Server::Open checks them.
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

// Reads the limits. Requires: the command line is parsed.
[[nodiscard]] LimitFlags ReadLimitFlags();

// Returns the name, without dashes, of the flag for a server option (option_bounds.h).
[[nodiscard]] std::string FlagOfOption(absl::string_view option);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_LIMIT_FLAGS_H_
