#ifndef HAPAX_INTERCEPTORS_CLIENT_TOKEN_H_
#define HAPAX_INTERCEPTORS_CLIENT_TOKEN_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/interceptors/call.h"

namespace hapax {

// Maximum length of a client token, in characters (C2).
inline constexpr size_t kMaxClientTokenLength = 64;

// Errors: INVALID_CLIENT_TOKEN, naming `source`, unless the token is 1 to 64 characters 0x21-0x7E (C2).
[[nodiscard]] absl::Status CheckClientToken(std::string_view source, std::string_view token);

// The client token of a mutating call whose request is decoded. Its sources are the field that the method's rule names,
// metadata `x-client-token`, and metadata `idempotency-key`. The value of `idempotency-key` may be a quoted
// structured-field string (RFC 8941, 3.3.3). Empty when no source has a token: the call is unprotected.
//
// Errors: CLIENT_TOKEN_CONFLICT when sources disagree (C1); INVALID_CLIENT_TOKEN as in CheckClientToken, also for a
// metadata key with an empty value.
[[nodiscard]] absl::StatusOr<std::string> ClientTokenOf(const UnaryCall& call);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_CLIENT_TOKEN_H_
