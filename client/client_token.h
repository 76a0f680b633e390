#ifndef HAPAX_CLIENT_CLIENT_TOKEN_H_
#define HAPAX_CLIENT_CLIENT_TOKEN_H_

#include <string>

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"

namespace hapax {

// A new client token: a UUID of version 7 (RFC 9562, section 5.7), 36 characters. It carries the time it was
// made, to the millisecond, so that a server can tell an old one by itself; the other 74 bits are random.
//
// Make one for each intended effect, before the first attempt, and send the same one with every retry.
[[nodiscard]] std::string NewClientToken(absl::Time now, absl::BitGenRef random);

}  // namespace hapax

#endif  // HAPAX_CLIENT_CLIENT_TOKEN_H_
