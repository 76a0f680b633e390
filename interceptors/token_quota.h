#ifndef HAPAX_INTERCEPTORS_TOKEN_QUOTA_H_
#define HAPAX_INTERCEPTORS_TOKEN_QUOTA_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/token_policy.h"
#include "hapax/storage/store.h"

namespace hapax {

// How many tokens each tenant has stored: those that are not forgotten yet, whether or not their replies have expired.
// A row for each tenant says it, changed by the transaction that stores a token; without a limit nobody counts. A
// token's end is put off by a 16th of its time at the most, so that many have the same one, and are counted together.

// Counts a token that is about to be stored until `forget_at`, which may be the infinite future. Nothing without a
// limit. Errors: QUOTA_EXCEEDED, naming the limit, and when there will be room if no more are stored; the store's.
[[nodiscard]] absl::Status CountToken(const TokenPolicy& policy, std::string_view tenant, absl::Time forget_at,
                                      absl::Time now, Transaction& txn);

// How many the tenant has, if they are counted. Errors: the store's.
[[nodiscard]] absl::StatusOr<int64_t> StoredTokens(std::string_view tenant, absl::Time now, const ReadTransaction& txn);

// Counts the tokens of all tenants anew; reads each of them. Errors: the store's.
[[nodiscard]] absl::Status CountAllTokens(absl::Time now, Transaction& txn);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_TOKEN_QUOTA_H_
