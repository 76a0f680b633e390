#include "hapax/interceptors/refusal.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "hapax/base/timestamps.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/refusal_bounds.h"
#include "hapax/proto/public_name.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

constexpr std::string_view kDomain = "hapax";
constexpr size_t kMaxShownValue = 64;
// Payloads with types that begin like this are not sent.
constexpr char kCauseType[] = "hapax/cause";
constexpr char kHandlerType[] = "hapax/handler";
constexpr char kVerdictType[] = "hapax/verdict";

std::string TypeUrl(const google::protobuf::Message& detail) { return TypeUrlOf(*detail.GetDescriptor()); }

void Attach(absl::Status& status, const google::protobuf::Message& detail) {
  status.SetPayload(TypeUrl(detail), absl::Cord(detail.SerializeAsString()));
}

void AttachRetryInfo(absl::Status& status, absl::Duration delay) {
  external::rpc::RetryInfo retry_info;
  *retry_info.mutable_retry_delay() = ToProtoDuration(delay);
  Attach(status, retry_info);
}

std::optional<external::rpc::ErrorInfo> ErrorInfoOf(const absl::Status& status) {
  external::rpc::ErrorInfo error_info;
  const auto payload = status.GetPayload(TypeUrl(error_info));
  if (!payload.has_value() || !error_info.ParseFromString(std::string(*payload))) return std::nullopt;
  return error_info;
}

}  // namespace

absl::Status Refuse(Reason reason, std::string_view message, std::vector<FieldViolation> violations) {
  const ReasonInfo& info = InfoOf(reason);
  const OwnReason as_own = {.domain = kDomain, .reason = info.name, .code = info.code, .retry_delay = info.retry_delay};
  absl::Status status = Refuse(as_own, message, std::move(violations));
  status.ErasePayload(kVerdictType);  // The reason implies it.
  return status;
}

absl::Status Refuse(const OwnReason& reason, std::string_view message, std::vector<FieldViolation> violations) {
  absl::Status status(reason.code, CutText(message, kMaxMessageBytes));
  external::rpc::ErrorInfo error_info;
  error_info.set_reason(std::string(reason.reason));
  error_info.set_domain(std::string(reason.domain));
  Attach(status, error_info);
  status.SetPayload(kVerdictType, absl::Cord(std::to_string(static_cast<int>(reason.verdict))));
  if (reason.retry_delay > absl::ZeroDuration()) AttachRetryInfo(status, reason.retry_delay);
  if (!violations.empty()) {
    external::rpc::BadRequest bad_request;
    size_t left_out = 0;
    for (const FieldViolation& violation : violations) {
      AddViolation(violation.field, violation.description, bad_request, left_out);
    }
    EndViolations(left_out, bad_request);
    Attach(status, bad_request);
  }
  return status;
}

absl::Status RefuseFor(absl::Duration retry_delay, Reason reason, std::string_view message) {
  absl::Status status = Refuse(reason, message);
  AttachRetryInfo(status, retry_delay);
  return status;
}

absl::Status RefuseField(Reason reason, std::string_view field, std::string_view allowed) {
  return Refuse(reason, std::string(field) + ": " + std::string(allowed),
                {{.field = std::string(field), .description = std::string(allowed)}});
}

absl::Status RefuseValue(Reason reason, std::string_view field, std::string_view value, std::string_view allowed) {
  const std::string_view shown = value.substr(0, kMaxShownValue);
  const std::string quoted = " \"" + absl::CHexEscape(absl::string_view(shown.data(), shown.size())) +
                             (shown.size() < value.size() ? "...\"" : "\"");
  return Refuse(reason, std::string(field) + quoted + ": " + std::string(allowed),
                {{.field = std::string(field), .description = std::string(allowed)}});
}

absl::Status RefuseParameter(std::string_view field, std::string_view allowed) {
  return RefuseField(Reason::kInvalidParameter, field, allowed);
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  const std::optional<external::rpc::ErrorInfo> error_info = ErrorInfoOf(status);
  if (!error_info.has_value() || error_info->domain() != kDomain) return std::nullopt;
  return ReasonFromName(error_info->reason());
}

std::optional<std::string> OwnReasonOf(const absl::Status& status) {
  const std::optional<external::rpc::ErrorInfo> error_info = ErrorInfoOf(status);
  if (!error_info.has_value() || error_info->domain() == kDomain) return std::nullopt;
  return error_info->reason();
}

absl::Status HandlersError(absl::Status status) {
  if (!status.ok() && !IsStoreError(status) && !ReasonOf(status).has_value()) {
    status.SetPayload(kHandlerType, absl::Cord());
  }
  return status;
}

absl::Status ToRefusal(absl::Status status) {
  if (status.ok() || status.ErasePayload(kHandlerType) || ReasonOf(status).has_value()) return status;
  absl::Status refusal;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      refusal = Refuse(Reason::kTokenStoreUnavailable, "the token store cannot be read or written just now");
      break;
    case absl::StatusCode::kDataLoss:
      refusal = Refuse(Reason::kTokenRecordCorrupt, "a stored record that this call needs is damaged");
      break;
    case absl::StatusCode::kResourceExhausted:
      refusal = Refuse(Reason::kOverloaded, "too many calls are waiting to be executed (max_waiting_transactions)");
      break;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      refusal = Refuse(Reason::kInternal, "the server failed at this call");
      break;
    default:
      return status;
  }
  refusal.SetPayload(kCauseType, absl::Cord(status.message()));
  return refusal;
}

std::string CauseOf(const absl::Status& status) {
  return std::string(status.GetPayload(kCauseType).value_or(absl::Cord()));
}

RetryVerdict VerdictOf(const absl::Status& status) {
  if (const auto reason = ReasonOf(status)) return InfoOf(*reason).verdict;
  if (const auto verdict = status.GetPayload(kVerdictType)) {
    return static_cast<RetryVerdict>(std::stoi(std::string(*verdict)));
  }
  if (status.GetPayload(TypeUrl(external::rpc::RetryInfo())).has_value()) return RetryVerdict::kSameToken;
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
      return RetryVerdict::kSameToken;
    default:
      return RetryVerdict::kNever;
  }
}

}  // namespace hapax
