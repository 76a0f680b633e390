#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_STORED_REPLY_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_STORED_REPLY_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/interceptors/rule.h"

namespace hapax {

// The only way to store a reply in a token's record and to read it back. The reply is stored verbatim, or sealed when
// the method's rule says that it holds a secret (C25). A sealed reply is bound to tenant, scope, token and method.

// Requires: `record` has its method set.
void StoreReply(const Rule& rule, const SealKeys& keys, const TokenKey& key, std::string_view reply,
                store::v1::TokenRecord& record);

// Errors: as SealKeys::Unseal.
[[nodiscard]] absl::StatusOr<std::string> ReadReply(const SealKeys& keys, const TokenKey& key,
                                                    store::v1::TokenRecord record);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_STORED_REPLY_H_
