#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_QUOTA_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_QUOTA_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/storage/store.h"

namespace hapax {

// Counts each tenant's stored tokens and their bytes. A token counts until it is forgotten, even after its reply has
// expired. Each tenant has a row with its counts, changed by the transaction that stores a token. Without a limit
// nothing is counted.
//
// The end of a token is put off by up to a 16th of its time. So many tokens end together and share a count.
//
// Abandoned tokens have a separate count and limit. A client needs the fence (C20) even when its calls have used up the
// other limit.

// Counts a token that is about to be stored until `forget_at`, which may be the infinite future. Does nothing without a
// limit. Errors: QUOTA_EXCEEDED, naming the limit, and when there will be room if no more are stored; those of the
// store.
[[nodiscard]] absl::Status CountToken(const TokenPolicy& policy, std::string_view tenant, absl::Time forget_at,
                                      absl::Time now, Transaction& txn);

// The bytes of a token's key and record, and how long they are stored.
struct TokenBytes {
  int64_t bytes = 0;
  absl::Time expires_at;  // Then all bytes but those of its tombstone are dropped.
  absl::Time forget_at;
};
// Counts the bytes of a token that CountToken has counted, once they are known. Does nothing when neither limit is set.
// Errors: as CountToken.
[[nodiscard]] absl::Status CountTokenBytes(const TokenPolicy& policy, std::string_view tenant, const TokenBytes& token,
                                           absl::Time now, Transaction& txn);

// Counts a token that is about to be abandoned, even when there is no limit. Errors: QUOTA_EXCEEDED, naming the limit;
// those of the store.
[[nodiscard]] absl::Status CountAbandonedToken(const TokenPolicy& policy, std::string_view tenant, Transaction& txn);

// The tenant's stored tokens, and their bytes, as far as they are counted. Errors: those of the store.
[[nodiscard]] absl::StatusOr<int64_t> StoredTokens(std::string_view tenant, absl::Time now, const ReadTransaction& txn);
[[nodiscard]] absl::StatusOr<int64_t> StoredTokenBytes(std::string_view tenant, absl::Time now,
                                                       const ReadTransaction& txn);
// The tenant's tokens abandoned since counting began. Errors: those of the store.
[[nodiscard]] absl::StatusOr<int64_t> AbandonedTokens(std::string_view tenant, const ReadTransaction& txn);

// Recounts the tokens of all tenants, including abandoned ones, by reading each token: in pages, then in transactions
// that each write the counts of kPageRows tenants. Blocks.
//
// The counts are right although other servers store tokens meanwhile, provided that none counts them before
// `is_counted` is true. Each transaction that writes asks it first, and writes nothing once it is: from then on the
// counts of another server are right, and grow. Abandoned tokens are counted always, with or without a limit; so a
// number of them that changes meanwhile is right as it stands, and is left.
//
// Returns whether the counts are those of this call. Errors: those of the store, and of `is_counted`.
[[nodiscard]] absl::StatusOr<bool> CountAllTokens(
    absl::Time now, Store& store, absl::FunctionRef<absl::StatusOr<bool>(const ReadTransaction&)> is_counted);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_QUOTA_H_
