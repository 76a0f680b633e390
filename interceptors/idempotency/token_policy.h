#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_POLICY_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_POLICY_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "hapax/interceptors/rule.h"

namespace hapax {

// How long a token protects (C17).
//
//   executed            expires                     forgotten
//   |---- retention ----|---- tombstone_retention ----|
//    a retry is answered  a retry is refused            a retry executes again, unless the token tells its age
//
// A record keeps the times that it was written with, so a new policy changes no earlier promise. Time that has truly
// passed decides whether they have come (token_time.h), whatever the wall clock says (C29).
struct TokenPolicy {
  // Positive. A rule may set another one for its method.
  absl::Duration retention = absl::Hours(24);
  absl::Duration tombstone_retention = absl::Hours(24 * 30);
  // The longest retention of any method, including the default above. Until a UUID of version 7 is older than that,
  // some method would execute it, so its record is kept for that long. The server sets it (token_policy_history.h).
  absl::Duration longest_retention = retention;
  // UUIDs of version 7 made up to this time may have been executed and forgotten, under a shorter retention.
  absl::Time forgotten_until = absl::InfinitePast();
  // Maximum number of tokens stored for a tenant (token_quota.h). 0: no limit.
  int64_t max_tokens_per_tenant = 0;
  // Maximum bytes of keys and records of these tokens. 0: no limit.
  int64_t max_token_bytes_per_tenant = 0;
  // Maximum number of abandoned tokens of a tenant, counted apart from the others. Each is a row of about 150 bytes, so
  // 100,000 take at most 15 MB. 0: no limit.
  int64_t max_abandoned_tokens_per_tenant = 100'000;

  [[nodiscard]] absl::Duration RetentionOf(const Rule& rule) const { return rule.retention().value_or(retention); }
};

// The time that the token states: a UUID of version 7 (RFC 9562, section 5.7) in its usual form of 36 characters, in
// either case. Nullopt for any other token.
[[nodiscard]] std::optional<absl::Time> TimeOfToken(std::string_view token);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_POLICY_H_
