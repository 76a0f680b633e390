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
// A row for each tenant says it, changed by the transaction that stores a token; without a limit nobody counts. Tokens
// that are forgotten within a 16th of a token's time of each other are counted together, and until the last of them is.

// Counts a token that is about to be stored until `forget_at`, which may be the infinite future. Nothing without a
// limit. Errors: QUOTA_EXCEEDED, naming the limit, and when there will be room; the store's.
[[nodiscard]] absl::Status CountToken(const TokenPolicy& policy, std::string_view tenant, absl::Time forget_at,
                                      absl::Time now, Transaction& txn);

// How many the tenant has, if they are counted. Errors: the store's.
[[nodiscard]] absl::StatusOr<int64_t> StoredTokens(std::string_view tenant, absl::Time now, const ReadTransaction& txn);

// At start-up: counts what is there, unless the last start did, or forgets the counts when there is no limit, as nobody
// will keep them up. Reads all tokens once. Errors: the store's.
[[nodiscard]] absl::Status PrepareTokenCounts(const TokenPolicy& policy, absl::Time now, Store& store);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_TOKEN_QUOTA_H_
