#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_QUOTA_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_QUOTA_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/storage/store.h"

namespace hapax {

// How many tokens each tenant has stored, and their bytes: those that are not forgotten yet, whether or not their
// replies have expired. A row for each tenant says it, changed by the transaction that stores a token; without a limit
// nobody counts. A token's end is put off by a 16th of its time at the most, so that many have the same one, and are
// counted together.
//
// Abandoned tokens have a count and a limit of their own: the fence that a client needs (C20) is not refused because
// its calls have used up the other.

// Counts a token that is about to be stored until `forget_at`, which may be the infinite future. Nothing without a
// limit. Errors: QUOTA_EXCEEDED, naming the limit, and when there will be room if no more are stored; the store's.
[[nodiscard]] absl::Status CountToken(const TokenPolicy& policy, std::string_view tenant, absl::Time forget_at,
                                      absl::Time now, Transaction& txn);

// Bytes of a token's key and record, and until when they are stored.
struct TokenBytes {
  int64_t bytes = 0;
  absl::Time expires_at;  // Then all but those of its tombstone are dropped.
  absl::Time forget_at;
};
// Counts the bytes of a token that CountToken counted, once they are known. Nothing without a limit of either.
// Errors: as CountToken.
[[nodiscard]] absl::Status CountTokenBytes(const TokenPolicy& policy, std::string_view tenant, const TokenBytes& token,
                                           absl::Time now, Transaction& txn);

// Counts a token that is about to be abandoned, whether or not there is a limit.
// Errors: QUOTA_EXCEEDED, naming the limit; the store's.
[[nodiscard]] absl::Status CountAbandonedToken(const TokenPolicy& policy, std::string_view tenant, Transaction& txn);

// How many the tenant has, and their bytes, if they are counted. Errors: the store's.
[[nodiscard]] absl::StatusOr<int64_t> StoredTokens(std::string_view tenant, absl::Time now, const ReadTransaction& txn);
[[nodiscard]] absl::StatusOr<int64_t> StoredTokenBytes(std::string_view tenant, absl::Time now,
                                                       const ReadTransaction& txn);
// How many it has abandoned since they are counted. Errors: the store's.
[[nodiscard]] absl::StatusOr<int64_t> AbandonedTokens(std::string_view tenant, const ReadTransaction& txn);

// Counts the tokens of all tenants anew, abandoned ones, too; reads each of them. Errors: the store's.
[[nodiscard]] absl::Status CountAllTokens(absl::Time now, Transaction& txn);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_QUOTA_H_
