#ifndef HAPAX_INTERCEPTORS_REASON_H_
#define HAPAX_INTERCEPTORS_REASON_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace hapax {

// Why a call was refused: the closed list of contract clause C27. A client reads it as the reason of a
// google.rpc.ErrorInfo with domain `hapax`.
enum class Reason {
  kInvalidClientToken,           // The token is not 1 to 64 characters 0x21-0x7E.
  kClientTokenConflict,          // The request's token sources disagree.
  kIdempotentParameterMismatch,  // The token was used with other parameters.
  kTokenStoreUnavailable,        // The token table cannot be read or written just now.
  kTokenRecordCorrupt,           // The token's record is damaged.
  kOverloaded,                   // Too many calls are waiting; this one was not started.
  kUnauthenticated,              // No valid credential.
  kPermissionDenied,             // The principal may not do this.
  kInvalidParameter,             // A request field is not allowed to be what it is.
  kUnknownRegion,                // The catalog has no such region.
  kUnknownAvailabilityZone,      // The catalog has no such zone.
  kZoneSubnetConflict,           // The subnet lies in another zone than the one named.
  kImageNotFound,
  kSubnetNotFound,
  kKeypairNotFound,
  kHostNotFound,
  kInstanceNotFound,
  kKeypairAlreadyExists,
  kIncorrectInstanceState,        // The instance's state does not allow this now.
  kInsufficientInstanceCapacity,  // The zone or host has no room now.
  kQuotaExceeded,                 // The tenant would have more than its quota allows.
};

// What a client should do next, as trailing metadata `hapax-retry` says it: EC2's table of responses,
// made machine-readable.
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
};

// Every reason, in the order of the enum.
[[nodiscard]] absl::Span<const ReasonInfo> AllReasons();
[[nodiscard]] const ReasonInfo& InfoOf(Reason reason);
// The reason of this wire name, if it is one of ours.
[[nodiscard]] std::optional<Reason> ReasonFromName(std::string_view name);

// `same-token`, `new-token` or `never`.
[[nodiscard]] std::string_view WireName(RetryVerdict verdict);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REASON_H_
