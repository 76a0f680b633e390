#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_POLICY_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_POLICY_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "hapax/interceptors/rule.h"

namespace hapax {

// For how long a token protects (C17).
//
//   executed            expires                     forgotten
//   |---- retention ----|---- tombstone_retention ----|
//    a retry is answered  a retry is refused            a retry executes again, unless the token tells its age
//
// A record keeps the times it was written with: another policy changes nothing that was promised. Whether they have
// come is judged by time that has truly passed (token_time.h), whatever the wall clock says (C29).
struct TokenPolicy {
  // Positive. A rule may say otherwise for its method.
  absl::Duration retention = absl::Hours(24);
  absl::Duration tombstone_retention = absl::Hours(24 * 30);
  // The longest retention of any method, this one's default included: until a UUID of version 7 is older than that,
  // some method would execute it, so its record is kept for that long. The server sets it (token_policy_history.h).
  absl::Duration longest_retention = retention;
  // UUIDs of version 7 that were made before may have been executed, and forgotten since, under a shorter retention.
  absl::Time forgotten_until = absl::InfinitePast();
  // Tokens that a tenant may have stored (token_quota.h). 0: any number.
  int64_t max_tokens_per_tenant = 0;
  // Bytes of key and record that these may take. 0: any number.
  int64_t max_token_bytes_per_tenant = 0;
  // Tokens that a tenant may have abandoned, beside those. Each is a row of some 150 bytes, so that these take 15 MB at
  // the most. 0: any number.
  int64_t max_abandoned_tokens_per_tenant = 100'000;

  [[nodiscard]] absl::Duration RetentionOf(const Rule& rule) const { return rule.retention().value_or(retention); }
};

// When the token was made, if it says so: a UUID of version 7 (RFC 9562, section 5.7) in its usual form of 36
// characters, in either case.
[[nodiscard]] std::optional<absl::Time> TimeOfToken(std::string_view token);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_POLICY_H_
