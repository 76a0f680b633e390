#include "hapax/server/token_policy_history.h"

#include <algorithm>
#include <string>

#include "hapax/interceptors/token_quota.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/status_macros.h"
#include "hapax/storage/timestamps.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {
namespace {

std::string MetaKey() { return KeyBuilder().String("token_policy").Build(); }

}  // namespace

absl::StatusOr<TokenPolicy> CompletePolicy(TokenPolicy policy, const std::vector<const HostedService*>& services,
                                           Store& store, absl::Time now) {
  policy.longest_retention = policy.retention;
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (!method.rule.has_value()) continue;
      policy.longest_retention = std::max(policy.longest_retention, policy.RetentionOf(*method.rule));
    }
  }
  const absl::Status status = ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto last, GetRow<store::v1::TokenPolicyRow>(txn, Table::kMeta, MetaKey()));
    policy.forgotten_until = absl::InfinitePast();
    if (last.has_value()) {
      if (last->has_forgotten_until()) policy.forgotten_until = FromTimestamp(last->forgotten_until());
      const absl::Duration last_longest = FromProtoDuration(last->longest_retention());
      if (last_longest < policy.longest_retention) {
        policy.forgotten_until = std::max(policy.forgotten_until, now - last_longest);
      }
    }
    store::v1::TokenPolicyRow row;
    *row.mutable_longest_retention() = ToProtoDuration(policy.longest_retention);
    if (policy.forgotten_until != absl::InfinitePast()) {
      *row.mutable_forgotten_until() = ToTimestamp(policy.forgotten_until);
    }
    // A start without a limit, or of an older version, leaves what is counted behind what is there.
    row.set_tokens_counted(policy.max_tokens_per_tenant > 0);
    if (row.tokens_counted() && !(last.has_value() && last->tokens_counted())) {
      HAPAX_RETURN_IF_ERROR(CountAllTokens(now, txn));
    }
    PutRow(txn, Table::kMeta, MetaKey(), row);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return policy;
}

}  // namespace hapax
