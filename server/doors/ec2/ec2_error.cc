#include "hapax/server/doors/ec2/ec2_error.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/doors/ec2/xml.h"

namespace hapax::ec2 {
namespace {

// Of a status made by RefuseWith: its HTTP status, a blank, and EC2's code.
constexpr char kPayload[] = "hapax/ec2";
// What EC2 says, so that a search for its text finds something.
constexpr char kMismatch[] =
    "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
constexpr char kMismatchName[] = "IdempotentParameterMismatch";

struct Shape {
  int http_status;
  std::string_view code;
};

Shape ShapeOfQuota(std::string_view action, const absl::Status& status) {
  // The quotas of compute name the field that is too large; those of tokens name none.
  if (absl::StartsWith(status.message(), "min_count")) return {400, "InstanceLimitExceeded"};
  if (absl::StartsWith(status.message(), "quantity")) return {400, "HostLimitExceeded"};
  static_cast<void>(action);
  return {400, "ResourceLimitExceeded"};
}

Shape ShapeOfCapacity(std::string_view action, bool names_host) {
  if (names_host) return {400, "InsufficientCapacityOnHost"};
  if (action == "AllocateHosts") return {500, "InsufficientHostCapacity"};
  return {500, "InsufficientInstanceCapacity"};
}

Shape ShapeOf(Reason reason, const absl::Status& status, std::string_view action, bool names_host) {
  switch (reason) {
    case Reason::kInvalidClientToken:
    case Reason::kClientTokenExpired:
    case Reason::kClientTokenAbandoned:
      return {400, "InvalidClientToken"};
    case Reason::kClientTokenConflict:
      return {400, "InvalidParameterCombination"};
    case Reason::kIdempotentParameterMismatch:
      return {400, kMismatchName};
    case Reason::kOverloaded:
      return {503, "RequestLimitExceeded"};
    case Reason::kTokenStoreUnavailable:
    case Reason::kDeadlineExceeded:
    case Reason::kCancelled:
      return {503, "Unavailable"};
    case Reason::kTokenRecordCorrupt:
    case Reason::kInternal:
      return {500, "InternalError"};
    case Reason::kUnauthenticated:
      return {401, "AuthFailure"};
    case Reason::kPermissionDenied:
      return {403, "UnauthorizedOperation"};
    case Reason::kInvalidParameter:
    case Reason::kUnknownRegion:
    case Reason::kUnknownAvailabilityZone:
    case Reason::kZoneSubnetConflict:
      return {400, "InvalidParameterValue"};
    case Reason::kImageNotFound:
      return {400, "InvalidAMIID.NotFound"};
    case Reason::kSubnetNotFound:
      return {400, "InvalidSubnetID.NotFound"};
    case Reason::kKeypairNotFound:
      return {400, "InvalidKeyPair.NotFound"};
    case Reason::kHostNotFound:
      return {400, "InvalidHostID.NotFound"};
    case Reason::kInstanceNotFound:
      return {400, "InvalidInstanceID.NotFound"};
    case Reason::kOperationNotFound:
      return {400, "InvalidParameterValue"};
    case Reason::kKeypairAlreadyExists:
      return {400, "InvalidKeyPair.Duplicate"};
    case Reason::kIncorrectInstanceState:
      return {400, "IncorrectInstanceState"};
    case Reason::kInsufficientInstanceCapacity:
      return ShapeOfCapacity(action, names_host);
    case Reason::kQuotaExceeded:
      return ShapeOfQuota(action, status);
    case Reason::kUnimplemented:
      return {400, "UnsupportedOperation"};
  }
  return {500, "InternalError"};
}

// By the code, for an error without a reason.
Shape ShapeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
      return {503, "Unavailable"};
    case absl::StatusCode::kResourceExhausted:
      return {503, "RequestLimitExceeded"};
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return {400, "InvalidParameterValue"};
    case absl::StatusCode::kUnauthenticated:
      return {401, "AuthFailure"};
    case absl::StatusCode::kPermissionDenied:
      return {403, "UnauthorizedOperation"};
    case absl::StatusCode::kUnimplemented:
      return {400, "UnsupportedOperation"};
    default:
      return {500, "InternalError"};
  }
}

// Begins with EC2's text in place of the name, which the code repeats.
std::string MismatchMessage(absl::string_view message) {
  absl::string_view rest = message;
  if (absl::StartsWith(rest, kMismatchName)) rest.remove_prefix(sizeof(kMismatchName) - 1);
  while (!rest.empty() && (rest.front() == ':' || rest.front() == ' ')) rest.remove_prefix(1);
  return absl::StrCat(kMismatch, rest.empty() ? "" : " ", rest);
}

}  // namespace

absl::Status RefuseWith(std::string_view code, std::string_view message, int http_status) {
  absl::Status status = absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
  status.SetPayload(kPayload, absl::Cord(absl::StrCat(http_status, " ", std::string(code))));
  return status;
}

Ec2Error ToEc2Error(const absl::Status& status, std::string_view action, bool names_host) {
  Ec2Error error{.message = std::string(status.message())};
  if (const auto payload = status.GetPayload(kPayload); payload.has_value()) {
    const std::vector<std::string> halves = absl::StrSplit(std::string(*payload), ' ');
    static_cast<void>(absl::SimpleAtoi(halves.at(0), &error.http_status));
    error.code = halves.at(1);
    error.verdict = error.http_status >= 500 ? RetryVerdict::kSameToken : RetryVerdict::kNever;
    return error;
  }
  const std::optional<Reason> reason = ReasonOf(status);
  const Shape shape = reason.has_value() ? ShapeOf(*reason, status, action, names_host) : ShapeOf(status.code());
  error.http_status = shape.http_status;
  error.code = shape.code;
  error.verdict = VerdictOf(status);
  if (reason == Reason::kIdempotentParameterMismatch) error.message = MismatchMessage(status.message());
  return error;
}

std::string ErrorXml(const Ec2Error& error, std::string_view request_id) {
  XmlWriter xml;
  xml.Open("Response");
  xml.Open("Errors");
  xml.Open("Error");
  xml.Element("Code", error.code);
  xml.Element("Message", error.message);
  xml.Close();
  xml.Close();
  xml.Element("RequestID", request_id);
  return std::move(xml).Finish();
}

}  // namespace hapax::ec2
