#include "hapax/server/hosting/token_policy_history.h"

#include <algorithm>
#include <optional>
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

using store::v1::TokenPolicyRow;

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

bool AreCounted(const std::optional<TokenPolicyRow>& last) {
  return last.has_value() && last->tokens_counted() && last->token_bytes_counted();
}

// Whether a server counts tokens as they are stored. It has counted those before.
absl::StatusOr<bool> TokensAreCounted(const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const auto last, GetRow<TokenPolicyRow>(txn, Table::kMeta, MetaKey()));
  return AreCounted(last);
}

}  // namespace

absl::Duration ShortestLife(const TokenPolicy& policy, const std::vector<const HostedService*>& services) {
  return RetentionsOf(policy, services).first + policy.tombstone_retention;
}

absl::StatusOr<TokenPolicy> CompletePolicy(TokenPolicy policy, const std::vector<const HostedService*>& services,
                                           Store& store, const TokenTime& time) {
  const absl::Time now = time.Now();
  policy.longest_retention = RetentionsOf(policy, services).second;
  const bool counts = policy.max_tokens_per_tenant > 0 || policy.max_token_bytes_per_tenant > 0;
  bool counted = false;  // By this start.
  bool must_count = false;
  const auto complete = [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto last, GetRow<TokenPolicyRow>(txn, Table::kMeta, MetaKey()));
    // After a start without a limit, or of an older version, the counts miss some tokens.
    must_count = counts && !counted && !AreCounted(last);
    if (must_count) return absl::OkStatus();
    policy.forgotten_until = absl::InfinitePast();
    if (last.has_value()) {
      // An older version trusted the wall clock here, which may have been ahead.
      if (last->has_forgotten_until()) policy.forgotten_until = std::min(FromTimestamp(last->forgotten_until()), now);
      const absl::Duration last_longest = FromProtoDuration(last->longest_retention());
      if (last_longest < policy.longest_retention && time.MayHaveForgotten()) {
        policy.forgotten_until = std::max(policy.forgotten_until, now - last_longest);
      }
    }
    TokenPolicyRow row;
    *row.mutable_longest_retention() = ToProtoDuration(policy.longest_retention);
    if (policy.forgotten_until != absl::InfinitePast()) {
      *row.mutable_forgotten_until() = ToTimestamp(policy.forgotten_until);
    }
    row.set_tokens_counted(counts);
    row.set_token_bytes_counted(counts);
    PutRow(txn, Table::kMeta, MetaKey(), row);
    return absl::OkStatus();
  };
  HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store, complete));
  while (must_count) {
    HAPAX_ASSIGN_OR_RETURN(counted, CountAllTokens(now, store, TokensAreCounted));
    HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store, complete));
  }
  return policy;
}

}  // namespace hapax
