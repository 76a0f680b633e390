#ifndef HAPAX_SERVER_OPTIONS_OPTION_BOUNDS_H_
#define HAPAX_SERVER_OPTIONS_OPTION_BOUNDS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/limits/request_limits.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/server/options/connection_limits.h"

namespace hapax {

// Checks the bounds of server options (server.h), which include the flags of hapaxd. Each error is INVALID_ARGUMENT, an
// OptionError that names the option as ServerOptions does, such as `tenant_limits.max_burst`.

[[nodiscard]] absl::Status CheckAtLeast(int64_t least, absl::string_view option, int64_t value);
[[nodiscard]] absl::Status CheckAtLeast(absl::Duration least, absl::string_view option, absl::Duration value);

// Check options `tenant_limits`, `request_limits`, `connection_limits` and `token_policy`.
[[nodiscard]] absl::Status CheckBounds(const TenantLimits& limits);
[[nodiscard]] absl::Status CheckBounds(const RequestLimits& limits);
[[nodiscard]] absl::Status CheckBounds(const ConnectionLimits& limits);
[[nodiscard]] absl::Status CheckBounds(const TokenPolicy& policy);

// Checks options `request_budget` and `reply_budget`. Each has room for two messages of maximum length, and connections
// have room for the requests.
[[nodiscard]] absl::Status CheckBudgets(const MessageBudget::Options& requests, const MessageBudget::Options& replies,
                                        const ConnectionLimits& connections);

// Checks option `default_region`, which is part of each token's scope and of replies.
[[nodiscard]] absl::Status CheckDefaultRegion(const std::string& region);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_OPTION_BOUNDS_H_
