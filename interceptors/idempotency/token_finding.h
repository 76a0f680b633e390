#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_FINDING_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_FINDING_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/storage/store.h"

namespace hapax {

// What an attempt finds when it looks up its token.
enum class Finding {
  kFree,             // Nothing was executed with this token.
  kSameParameters,   // A record of the same request (C9).
  kOtherParameters,  // A record of another request, or of another method (C7, C10).
  kExpiring,         // A record whose time has come, but which still has its reply.
  kExpired,          // Executed too long ago, or the token is too old to tell (C17).
  kTooNew,           // Nothing was executed, and the token states a time more than a day ahead.
  kAbandoned,        // The token was given up before anything was executed (C20).
};

struct TokenFinding {
  Finding finding = Finding::kFree;
  store::v1::TokenRecord record;       // With kSameParameters and kOtherParameters.
  std::vector<std::string> differing;  // With kOtherParameters: which fields; empty when the method differs.
};

// Looks up the token of `call`, whose request is decoded. Errors: those of the store; DATA_LOSS for a damaged record,
// or one of a newer version.
[[nodiscard]] absl::StatusOr<TokenFinding> LookUp(const ReadTransaction& txn, const TokenKey& key,
                                                  const UnaryCall& call, const TokenPolicy& policy,
                                                  const TokenTime& time);

// Judges a token without a record by the time that it states. kExpired: it was made at least `retention` ago, or before
// policy.forgotten_until, so it may have been executed and forgotten. Otherwise kFree or kTooNew.
[[nodiscard]] Finding FindByAge(std::string_view token, absl::Duration retention, const TokenPolicy& policy,
                                const TokenTime& time);

// Errors: CLIENT_TOKEN_EXPIRED, CLIENT_TOKEN_ABANDONED, and INVALID_CLIENT_TOKEN for a token that is too new.
[[nodiscard]] absl::Status RefuseExpired();
[[nodiscard]] absl::Status RefuseAbandoned();
[[nodiscard]] absl::Status RefuseTooNew();

// IDEMPOTENT_PARAMETER_MISMATCH for a finding kOtherParameters. It names the fields, never their values.
[[nodiscard]] absl::Status RefuseMismatch(const TokenFinding& found, const UnaryCall& call);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_FINDING_H_
