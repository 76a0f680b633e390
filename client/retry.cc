#include "hapax/client/retry.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "google/rpc/error_details.pb.h"
#include "hapax/client/error.h"

namespace hapax::client {
namespace {

constexpr char kVerdictMetadata[] = "hapax-retry";
constexpr char kRetryInfoType[] = "type.googleapis.com/google.rpc.RetryInfo";

absl::Duration DelayOf(const absl::Status& status) {
  google::rpc::RetryInfo info;
  const auto payload = status.GetPayload(kRetryInfoType);
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return absl::ZeroDuration();
  return absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos());
}

// What a network, a proxy or a server that went away makes of a call.
bool MayPass(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
      return true;
    default:
      return false;
  }
}

RetryVerdict VerdictOf(std::string_view name) {
  if (name == "same-token") return RetryVerdict::kSameToken;
  return name == "new-token" ? RetryVerdict::kNewToken : RetryVerdict::kNever;
}

}  // namespace

RetryAdvice AdviceFor(const AttemptEnd& end) {
  const auto found = std::find_if(end.metadata.begin(), end.metadata.end(),
                                  [](const auto& entry) { return entry.first == kVerdictMetadata; });
  const RetryVerdict verdict = found == end.metadata.end() ? RetryVerdict::kUnsaid : VerdictOf(found->second);
  const bool retry =
      verdict == RetryVerdict::kUnsaid ? MayPass(end.status.code()) : verdict == RetryVerdict::kSameToken;
  // A store that cannot be written may turn out to have been; after a fault of the server's nobody knows.
  const std::string reason = ReasonOf(end.status);
  const bool no_effect = !reason.empty() && reason != "TOKEN_STORE_UNAVAILABLE" && reason != "INTERNAL";
  return {.verdict = verdict, .retry = retry, .delay = DelayOf(end.status), .no_effect = no_effect};
}

bool RetryBudget::TryTake() {
  absl::MutexLock lock(&mu_);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

void RetryBudget::OnSuccess() {
  absl::MutexLock lock(&mu_);
  left_ = std::min(options_.capacity, left_ + options_.per_success);
}

}  // namespace hapax::client
