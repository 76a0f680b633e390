#include "hapax/server/hosting/token_policy_history.h"

#include <algorithm>
#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_quota.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {
namespace {

std::string MetaKey() { return KeyBuilder().String("token_policy").Build(); }

// The shortest and the longest retention of any method, including the default.
std::pair<absl::Duration, absl::Duration> RetentionsOf(const TokenPolicy& policy,
                                                       const std::vector<const HostedService*>& services) {
  std::pair retentions(policy.retention, policy.retention);
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (!method.rule.has_value()) continue;
      retentions.first = std::min(retentions.first, policy.RetentionOf(*method.rule));
      retentions.second = std::max(retentions.second, policy.RetentionOf(*method.rule));
    }
  }
  return retentions;
}

}  // namespace

absl::Duration ShortestLife(const TokenPolicy& policy, const std::vector<const HostedService*>& services) {
  return RetentionsOf(policy, services).first + policy.tombstone_retention;
}

absl::StatusOr<TokenPolicy> CompletePolicy(TokenPolicy policy, const std::vector<const HostedService*>& services,
                                           Store& store, const TokenTime& time) {
  const absl::Time now = time.Now();
  policy.longest_retention = RetentionsOf(policy, services).second;
  const absl::Status status = ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto last, GetRow<store::v1::TokenPolicyRow>(txn, Table::kMeta, MetaKey()));
    policy.forgotten_until = absl::InfinitePast();
    if (last.has_value()) {
      // An older version trusted the wall clock here, which may have been ahead.
      if (last->has_forgotten_until()) policy.forgotten_until = std::min(FromTimestamp(last->forgotten_until()), now);
      const absl::Duration last_longest = FromProtoDuration(last->longest_retention());
      if (last_longest < policy.longest_retention && time.MayHaveForgotten()) {
        policy.forgotten_until = std::max(policy.forgotten_until, now - last_longest);
      }
    }
    store::v1::TokenPolicyRow row;
    *row.mutable_longest_retention() = ToProtoDuration(policy.longest_retention);
    if (policy.forgotten_until != absl::InfinitePast()) {
      *row.mutable_forgotten_until() = ToTimestamp(policy.forgotten_until);
    }
    // After a start without a limit, or of an older version, the counts miss some tokens.
    row.set_tokens_counted(policy.max_tokens_per_tenant > 0 || policy.max_token_bytes_per_tenant > 0);
    row.set_token_bytes_counted(row.tokens_counted());
    if (row.tokens_counted() && !(last.has_value() && last->tokens_counted() && last->token_bytes_counted())) {
      HAPAX_RETURN_IF_ERROR(CountAllTokens(now, txn));
    }
    PutRow(txn, Table::kMeta, MetaKey(), row);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return policy;
}

}  // namespace hapax
