#include "hapax/interceptors/idempotency/token_table.h"

#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/store_error.h"

namespace hapax {

std::string EncodeTokenKey(const TokenKey& key) {
  return KeyBuilder().String(key.tenant).String(key.region).String(key.zone).String(key.token).Build();
}

absl::StatusOr<TokenKey> DecodeTokenKey(std::string_view bytes) {
  KeyParser parser(bytes);
  TokenKey key;
  for (std::string* element : {&key.tenant, &key.region, &key.zone, &key.token}) {
    HAPAX_ASSIGN_OR_RETURN(*element, parser.String());
  }
  if (!parser.AtEnd()) return StoreError(absl::DataLossError("a token's key has too many elements"));
  return key;
}

std::string TokenPrefix(std::string_view tenant) { return KeyBuilder().String(tenant).Build(); }

std::string TokenPrefix(std::string_view tenant, std::string_view region) {
  return KeyBuilder().String(tenant).String(region).Build();
}

TokenState StateAt(const store::v1::TokenRecord& record, absl::Time now) {
  if (record.has_abandoned_at()) return TokenState::kAbandoned;
  if (record.has_forget_at() && now >= FromTimestamp(record.forget_at())) return TokenState::kFree;
  if (record.has_expires_at() && now >= FromTimestamp(record.expires_at())) return TokenState::kExpired;
  if (!record.has_fingerprint()) return TokenState::kExpired;  // A tombstone is always expired.
  return TokenState::kExecuted;
}

store::v1::TokenRecord TombstoneOf(const store::v1::TokenRecord& record) {
  store::v1::TokenRecord tombstone;
  tombstone.set_method(record.method());
  *tombstone.mutable_executed_at() = record.executed_at();
  *tombstone.mutable_expires_at() = record.expires_at();
  if (record.has_forget_at()) *tombstone.mutable_forget_at() = record.forget_at();
  return tombstone;
}

absl::StatusOr<std::optional<store::v1::TokenRecord>> FindToken(const ReadTransaction& txn, const TokenKey& key) {
  return GetRow<store::v1::TokenRecord>(txn, Table::kTokens, EncodeTokenKey(key));
}

void PutToken(Transaction& txn, const TokenKey& key, const store::v1::TokenRecord& record) {
  PutRow(txn, Table::kTokens, EncodeTokenKey(key), record);
}

absl::Status PutTombstone(Transaction& txn, const TokenKey& key) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<store::v1::TokenRecord> record, FindToken(txn, key));
  if (record.has_value() && record->has_fingerprint()) PutToken(txn, key, TombstoneOf(*record));
  return absl::OkStatus();
}

}  // namespace hapax
