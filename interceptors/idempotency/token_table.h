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

// Which effect a client token names: contract C4. An empty zone is the regional scope, which no zone's
// tokens share.
struct TokenKey {
  std::string tenant;
  std::string region;
  std::string zone;
  std::string token;
};

// The key as bytes, ordered as (tenant, region, zone, token).
[[nodiscard]] std::string EncodeTokenKey(const TokenKey& key);
// Errors: DATA_LOSS for what EncodeTokenKey did not make.
[[nodiscard]] absl::StatusOr<TokenKey> DecodeTokenKey(std::string_view bytes);
// What the keys of all tokens of a tenant begin with, or of those in one region.
[[nodiscard]] std::string TokenPrefix(std::string_view tenant);
[[nodiscard]] std::string TokenPrefix(std::string_view tenant, std::string_view region);

// What a token's record says at some time (token_time.h). Whether a compaction has dropped what is too old makes no
// difference (C17). A tombstone is expired whatever the time, for what it was is gone.
enum class TokenState {
  kFree,       // No record, or one that is to be forgotten by now.
  kExecuted,   // The reply is on record.
  kExpired,    // Executed, longer ago than its reply was to be kept.
  kAbandoned,  // Fenced before anything was executed (C20).
};
[[nodiscard]] TokenState StateAt(const store::v1::TokenRecord& record, absl::Time now);

// The record of the token, or nullopt when there is none. Errors: the store's; DATA_LOSS for a damaged record.
[[nodiscard]] absl::StatusOr<std::optional<store::v1::TokenRecord>> FindToken(const ReadTransaction& txn,
                                                                              const TokenKey& key);

// Remembers the token, in the transaction that makes its effect.
void PutToken(Transaction& txn, const TokenKey& key, const store::v1::TokenRecord& record);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_TABLE_H_
