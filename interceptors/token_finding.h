#ifndef HAPAX_INTERCEPTORS_TOKEN_FINDING_H_
#define HAPAX_INTERCEPTORS_TOKEN_FINDING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/interceptors/call.h"
#include "hapax/storage/store.h"
#include "hapax/storage/token_table.h"

namespace hapax {

// What an attempt finds when it looks its token up.
enum class Finding {
  kFree,             // No record: nothing was executed with this token.
  kSameParameters,   // A record of the same request (C9).
  kOtherParameters,  // A record of another request, or of another method (C7, C10).
};

struct TokenFinding {
  Finding finding = Finding::kFree;
  store::v1::TokenRecord record;       // Unless the token is free.
  std::vector<std::string> differing;  // With kOtherParameters: which fields; empty when the method differs.
};

// Looks the token of `call` up, whose request is decoded.
// Errors: the store's; DATA_LOSS for a record that is damaged or too new.
[[nodiscard]] absl::StatusOr<TokenFinding> LookUp(const ReadTransaction& txn, const TokenKey& key,
                                                  const UnaryCall& call);

// IDEMPOTENT_PARAMETER_MISMATCH for a kOtherParameters finding: names the fields, never their values.
[[nodiscard]] absl::Status RefuseMismatch(const TokenFinding& found, const UnaryCall& call);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_TOKEN_FINDING_H_
