#include "hapax/interceptors/refusal.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "google/rpc/error_details.pb.h"

namespace hapax {
namespace {

constexpr std::string_view kDomain = "hapax";
constexpr size_t kMaxShownValue = 64;
constexpr absl::Duration kOverloadRetryDelay = absl::Milliseconds(200);

std::string TypeUrl(const google::protobuf::Message& detail) {
  return "type.googleapis.com/" + detail.GetDescriptor()->full_name();
}

void Attach(absl::Status& status, const google::protobuf::Message& detail) {
  status.SetPayload(TypeUrl(detail), absl::Cord(detail.SerializeAsString()));
}

}  // namespace

absl::Status Refuse(Reason reason, std::string_view message, std::vector<FieldViolation> violations) {
  const ReasonInfo& info = InfoOf(reason);
  absl::Status status(info.code, absl::string_view(message.data(), message.size()));
  google::rpc::ErrorInfo error_info;
  error_info.set_reason(std::string(info.name));
  error_info.set_domain(std::string(kDomain));
  Attach(status, error_info);
  if (!violations.empty()) {
    google::rpc::BadRequest bad_request;
    for (FieldViolation& violation : violations) {
      auto* field_violation = bad_request.add_field_violations();
      field_violation->set_field(std::move(violation.field));
      field_violation->set_description(std::move(violation.description));
    }
    Attach(status, bad_request);
  }
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

absl::Status RefuseOverloaded(std::string_view message, absl::Duration retry_delay) {
  absl::Status status = Refuse(Reason::kOverloaded, message);
  google::rpc::RetryInfo retry_info;
  auto* delay = retry_info.mutable_retry_delay();
  const int64_t seconds = absl::IDivDuration(retry_delay, absl::Seconds(1), &retry_delay);
  delay->set_seconds(seconds);
  delay->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(retry_delay)));
  Attach(status, retry_info);
  return status;
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  google::rpc::ErrorInfo error_info;
  const auto payload = status.GetPayload(TypeUrl(error_info));
  if (!payload.has_value() || !error_info.ParseFromString(std::string(*payload))) return std::nullopt;
  if (error_info.domain() != kDomain) return std::nullopt;
  return ReasonFromName(error_info.reason());
}

absl::Status RefuseForStore(absl::Status status) {
  if (status.ok() || ReasonOf(status).has_value()) return status;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return Refuse(Reason::kTokenStoreUnavailable, "the token store cannot be read or written just now");
    case absl::StatusCode::kDataLoss:
      return Refuse(Reason::kTokenRecordCorrupt, "a stored record that this call needs is damaged");
    case absl::StatusCode::kResourceExhausted:
      return RefuseOverloaded("too many calls are waiting to be executed", kOverloadRetryDelay);
    default:
      return status;
  }
}

RetryVerdict VerdictOf(const absl::Status& status) {
  if (const auto reason = ReasonOf(status)) return InfoOf(*reason).verdict;
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
