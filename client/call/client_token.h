#ifndef HAPAX_CLIENT_CALL_CLIENT_TOKEN_H_
#define HAPAX_CLIENT_CALL_CLIENT_TOKEN_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hapax::client {

// Whether the text is a valid client token: 1 to 64 characters 0x21-0x7E (C2).
[[nodiscard]] bool IsClientToken(std::string_view text);

// INVALID_ARGUMENT unless the token is valid. The message begins with `field`, and says what is wrong without showing
// the token.
[[nodiscard]] absl::Status CheckClientToken(std::string_view field, std::string_view token);

// Returns a new client token: a UUID of version 7 (RFC 9562, section 5.7), 36 characters. It contains its time of
// creation, to the millisecond, so a server can recognize an old token. The other 74 bits are random.
//
// The random bits come from the kernel, not from a generator in this process. A fork would copy the generator, and
// parent and child would make the same tokens in the same millisecond.
//
// Make one token for each intended effect, before the first attempt, and send it with every retry.
[[nodiscard]] std::string NewClientToken(absl::Time now);

// Returns the token of one step of a larger job: a UUID of version 5 (RFC 9562, section 5.5) of the step's name. The
// namespace is the job's token if that is a UUID, or else derived from it. The same job and step always give the same
// token, so a resumed job repeats nothing. The token contains no time, so servers forget it some time after it expires.
[[nodiscard]] std::string ChildToken(std::string_view parent, std::string_view step);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CLIENT_TOKEN_H_
