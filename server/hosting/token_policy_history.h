#ifndef HAPAX_SERVER_HOSTING_TOKEN_POLICY_HISTORY_H_
#define HAPAX_SERVER_HOSTING_TOKEN_POLICY_HISTORY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/store.h"

namespace hapax {

// Completes the policy by what the services' rules and the store say. The store remembers the longest retention of the
// last start. When this start's is longer, UUIDs of version 7 that are older than the last one's may be forgotten; they
// are refused from now on, so that a longer retention never executes one again (C17). The first start with a limit of
// the tokens that a tenant may have stored, and the first after one without, counts them (token_quota.h).
//
// `services` are compiled, `time` is loaded. Errors: the store's.
[[nodiscard]] absl::StatusOr<TokenPolicy> CompletePolicy(TokenPolicy policy,
                                                         const std::vector<const HostedService*>& services,
                                                         Store& store, const TokenTime& time);

// The least time from a token's execution until it is forgotten. `services` are compiled.
[[nodiscard]] absl::Duration ShortestLife(const TokenPolicy& policy, const std::vector<const HostedService*>& services);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_TOKEN_POLICY_HISTORY_H_
