#include "hapax/storage/token_table.h"

#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"

namespace hapax {
namespace {

std::string Encode(const TokenKey& key) {
  return KeyBuilder().String(key.tenant).String(key.region).String(key.zone).String(key.token).Build();
}

}  // namespace

absl::StatusOr<std::optional<store::v1::TokenRecord>> FindToken(const ReadTransaction& txn, const TokenKey& key) {
  return GetRow<store::v1::TokenRecord>(txn, Table::kTokens, Encode(key));
}

void PutToken(Transaction& txn, const TokenKey& key, const store::v1::TokenRecord& record) {
  PutRow(txn, Table::kTokens, Encode(key), record);
}

}  // namespace hapax
