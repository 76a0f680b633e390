#ifndef HAPAX_INTERCEPTORS_REASON_H_
#define HAPAX_INTERCEPTORS_REASON_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace hapax {

// Why a call failed: a closed list (C27). A client reads it as the reason of a google.rpc.ErrorInfo with domain
// `hapax`. A test holds the table in docs/errors.md to this list.
enum class Reason {
  kInvalidClientToken,           // The token is not 1 to 64 characters 0x21-0x7E.
  kClientTokenConflict,          // The request's token sources disagree.
  kIdempotentParameterMismatch,  // The token was used with other parameters.
  kClientTokenExpired,           // Executed too long ago, or the token is too old to tell.
  kClientTokenAbandoned,         // The token was given up before anything was executed.
  kTokenStoreUnavailable,        // The token table cannot be read or written at the moment.
  kTokenRecordCorrupt,           // The token's record is damaged.
  kOverloaded,                   // Too many calls are waiting; this one was not started.
  kUnauthenticated,              // No valid credential.
  kPermissionDenied,             // The principal may not do this.
  kInvalidParameter,             // A request field has a value that is not allowed.
  kUnknownRegion,                // The catalog has no such region.
  kUnknownAvailabilityZone,      // The catalog has no such zone.
  kZoneSubnetConflict,           // The subnet lies in another zone than the one named.
  kImageNotFound,
  kSubnetNotFound,
  kKeypairNotFound,
  kHostNotFound,
  kInstanceNotFound,
  kOperationNotFound,
  kKeypairAlreadyExists,
  kIncorrectInstanceState,        // The instance's state does not allow this now.
  kInsufficientInstanceCapacity,  // The zone or host has no room now.
  kQuotaExceeded,                 // The call would exceed the tenant's quota.
  kDeadlineExceeded,              // The deadline passed before execution started.
  kCancelled,                     // The client cancelled before execution started.
  kUnimplemented,                 // The server does not offer that, as it was started.
  kInternal,                      // A fault of the server.
};

// What a client should do next, as sent in trailing metadata `hapax-retry`: EC2's table of responses, made
// machine-readable.
enum class RetryVerdict {
  kSameToken,  // Try again with the same token, after google.rpc.RetryInfo where there is one.
  kNewToken,   // This token is used up: a new effect needs a new one.
  kNever,      // The same request will be refused again.
};

struct ReasonInfo {
  Reason reason;
  std::string_view name;  // On the wire.
  absl::StatusCode code;
  RetryVerdict verdict;
  // How long a client should wait before the next attempt, as google.rpc.RetryInfo; zero where waiting does not help.
  absl::Duration retry_delay = absl::ZeroDuration();
};

// Every reason, in the order of the enum.
[[nodiscard]] absl::Span<const ReasonInfo> AllReasons();
[[nodiscard]] const ReasonInfo& InfoOf(Reason reason);
// The reason with this wire name; nullopt when there is none.
[[nodiscard]] std::optional<Reason> ReasonFromName(std::string_view name);

// `same-token`, `new-token` or `never`.
[[nodiscard]] std::string_view WireName(RetryVerdict verdict);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REASON_H_
