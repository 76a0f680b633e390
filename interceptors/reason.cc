#include "hapax/interceptors/reason.h"

#include <algorithm>
#include <iterator>

#include "hapax/base/check.h"

namespace hapax {
namespace {

using enum Reason;
using enum RetryVerdict;
using Code = absl::StatusCode;

// Delays: kSoon for what other calls block, kBeforeLong for what needs somebody to act.
constexpr absl::Duration kSoon = absl::Milliseconds(200);
constexpr absl::Duration kBeforeLong = absl::Seconds(1);
constexpr absl::Duration kLater = absl::Seconds(10);

constexpr ReasonInfo kReasons[] = {
    {kInvalidClientToken, "INVALID_CLIENT_TOKEN", Code::kInvalidArgument, kNever},
    {kClientTokenConflict, "CLIENT_TOKEN_CONFLICT", Code::kInvalidArgument, kNever},
    {kIdempotentParameterMismatch, "IDEMPOTENT_PARAMETER_MISMATCH", Code::kInvalidArgument, kNewToken},
    {kClientTokenExpired, "CLIENT_TOKEN_EXPIRED", Code::kFailedPrecondition, kNewToken},
    {kClientTokenAbandoned, "CLIENT_TOKEN_ABANDONED", Code::kFailedPrecondition, kNewToken},
    {kTokenStoreUnavailable, "TOKEN_STORE_UNAVAILABLE", Code::kUnavailable, kSameToken, kBeforeLong},
    {kTokenRecordCorrupt, "TOKEN_RECORD_CORRUPT", Code::kDataLoss, kNever},
    {kOverloaded, "OVERLOADED", Code::kResourceExhausted, kSameToken, kSoon},
    {kUnauthenticated, "UNAUTHENTICATED", Code::kUnauthenticated, kNever},
    {kPermissionDenied, "PERMISSION_DENIED", Code::kPermissionDenied, kNever},
    {kInvalidParameter, "INVALID_PARAMETER", Code::kInvalidArgument, kNever},
    {kUnknownRegion, "UNKNOWN_REGION", Code::kInvalidArgument, kNever},
    {kUnknownAvailabilityZone, "UNKNOWN_AVAILABILITY_ZONE", Code::kInvalidArgument, kNever},
    {kZoneSubnetConflict, "ZONE_SUBNET_CONFLICT", Code::kInvalidArgument, kNever},
    {kImageNotFound, "IMAGE_NOT_FOUND", Code::kNotFound, kNever},
    {kSubnetNotFound, "SUBNET_NOT_FOUND", Code::kNotFound, kNever},
    {kKeypairNotFound, "KEYPAIR_NOT_FOUND", Code::kNotFound, kNever},
    {kHostNotFound, "HOST_NOT_FOUND", Code::kNotFound, kNever},
    {kInstanceNotFound, "INSTANCE_NOT_FOUND", Code::kNotFound, kNever},
    {kOperationNotFound, "OPERATION_NOT_FOUND", Code::kNotFound, kNever},
    {kKeypairAlreadyExists, "KEYPAIR_ALREADY_EXISTS", Code::kAlreadyExists, kNever},
    {kIncorrectInstanceState, "INCORRECT_INSTANCE_STATE", Code::kFailedPrecondition, kSameToken, kBeforeLong},
    {kInsufficientInstanceCapacity, "INSUFFICIENT_INSTANCE_CAPACITY", Code::kResourceExhausted, kSameToken, kLater},
    {kQuotaExceeded, "QUOTA_EXCEEDED", Code::kResourceExhausted, kSameToken, kLater},
    {kDeadlineExceeded, "DEADLINE_EXCEEDED", Code::kDeadlineExceeded, kSameToken},
    {kCancelled, "CANCELLED", Code::kCancelled, kSameToken},
    {kUnimplemented, "UNIMPLEMENTED", Code::kUnimplemented, kNever},
    {kInternal, "INTERNAL", Code::kInternal, kSameToken},
};

constexpr bool InEnumOrder() {
  for (size_t i = 0; i < std::size(kReasons); ++i) {
    if (static_cast<size_t>(kReasons[i].reason) != i) return false;
  }
  return std::size(kReasons) == static_cast<size_t>(kInternal) + 1;
}
static_assert(InEnumOrder(), "the table has one row for each Reason, in the enum's order");

}  // namespace

absl::Span<const ReasonInfo> AllReasons() { return kReasons; }

const ReasonInfo& InfoOf(Reason reason) { return kReasons[static_cast<size_t>(reason)]; }

std::optional<Reason> ReasonFromName(std::string_view name) {
  const auto* const info = std::find_if(std::begin(kReasons), std::end(kReasons),
                                        [&](const ReasonInfo& candidate) { return candidate.name == name; });
  if (info == std::end(kReasons)) return std::nullopt;
  return info->reason;
}

std::string_view WireName(RetryVerdict verdict) {
  switch (verdict) {
    case kSameToken:
      return "same-token";
    case kNewToken:
      return "new-token";
    case kNever:
      return "never";
  }
  HAPAX_CHECK(false, "a RetryVerdict is one of its values");
}

}  // namespace hapax
