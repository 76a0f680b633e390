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

// Completes the policy from the services' rules and the store. The store remembers the longest retention of the last
// start. If it is longer now, UUIDs of version 7 older than the last retention may have been forgotten. They are
// refused from now on, so a longer retention never executes one again (C17).
//
// The first start with a limit on a tenant's stored tokens, and the first after a start without one, counts the tokens
// (token_quota.h). Of several servers that start together, the counts of the first that is done are kept. Servers of
// one store must all have a limit or none: one without does not count what it stores.
//
// Requires: `services` are compiled, and `time` is loaded.
// Errors: those of the store.
[[nodiscard]] absl::StatusOr<TokenPolicy> CompletePolicy(TokenPolicy policy,
                                                         const std::vector<const HostedService*>& services,
                                                         Store& store, const TokenTime& time);

// The shortest time from a token's execution until it is forgotten. Requires: `services` are compiled.
[[nodiscard]] absl::Duration ShortestLife(const TokenPolicy& policy, const std::vector<const HostedService*>& services);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_TOKEN_POLICY_HISTORY_H_
