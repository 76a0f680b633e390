#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TABLE_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TABLE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/storage/store.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// Identifies a token by its scope (contract C4). An empty zone is the regional scope, which is separate from the scopes
// of its zones.
struct TokenKey {
  std::string tenant;
  std::string region;
  std::string zone;
  std::string token;
};

// The key as bytes, ordered by (tenant, region, zone, token).
[[nodiscard]] std::string EncodeTokenKey(const TokenKey& key);
// Errors: DATA_LOSS for bytes that EncodeTokenKey did not make.
[[nodiscard]] absl::StatusOr<TokenKey> DecodeTokenKey(std::string_view bytes);
// The common prefix of all token keys of a tenant, or of a tenant in one region.
[[nodiscard]] std::string TokenPrefix(std::string_view tenant);
[[nodiscard]] std::string TokenPrefix(std::string_view tenant, std::string_view region);

// The state of a token at a time (token_time.h), by its record. Whether a compaction has dropped old rows makes no
// difference (C17). A tombstone is always expired, since its former contents are gone.
enum class TokenState {
  kFree,       // No record, or one whose time to be forgotten has come.
  kExecuted,   // The reply is in the record.
  kExpired,    // Executed, and the time to keep its reply is over.
  kAbandoned,  // Fenced before anything was executed (C20).
};
[[nodiscard]] TokenState StateAt(const store::v1::TokenRecord& record, absl::Time now);

// What remains of the record of an executed attempt once it has expired: when, and by which method.
[[nodiscard]] store::v1::TokenRecord TombstoneOf(const store::v1::TokenRecord& record);

// The token's record; nullopt when there is none. Errors: those of the store; DATA_LOSS for a damaged record.
[[nodiscard]] absl::StatusOr<std::optional<store::v1::TokenRecord>> FindToken(const ReadTransaction& txn,
                                                                              const TokenKey& key);

// Stores the token's record, in the transaction that makes its effect.
void PutToken(Transaction& txn, const TokenKey& key, const store::v1::TokenRecord& record);

// Replaces the token's record, which has expired, by its tombstone. Whoever tells that a token has expired does this in
// the same transaction, so that no server tells the reply later, whatever its clock says. No effect if there is no
// record, or if it is a tombstone. Errors: those of FindToken.
[[nodiscard]] absl::Status PutTombstone(Transaction& txn, const TokenKey& key);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TABLE_H_
