#ifndef HAPAX_STORAGE_TOKEN_TABLE_H_
#define HAPAX_STORAGE_TOKEN_TABLE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
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

// The record of the token, or nullopt when it is free. Errors: the store's; DATA_LOSS for a damaged record.
[[nodiscard]] absl::StatusOr<std::optional<store::v1::TokenRecord>> FindToken(const ReadTransaction& txn,
                                                                              const TokenKey& key);

// Remembers the token for good, in the transaction that makes its effect.
void PutToken(Transaction& txn, const TokenKey& key, const store::v1::TokenRecord& record);

}  // namespace hapax

#endif  // HAPAX_STORAGE_TOKEN_TABLE_H_
