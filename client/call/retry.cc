#include "hapax/client/call/retry.h"

#include <algorithm>
#include <optional>
#include <string>

#include "hapax/client/call/error.h"
#include "hapax/external/rpc/error_details.pb.h"

namespace hapax::client {
namespace {

constexpr char kVerdictMetadata[] = "hapax-retry";
constexpr char kRetryInfoType[] = "type.googleapis.com/google.rpc.RetryInfo";

std::optional<absl::Duration> RetryInfoOf(const absl::Status& status) {
  external::rpc::RetryInfo info;
  const auto payload = status.GetPayload(kRetryInfoType);
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  return absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos());
}

// Codes that come from a network, a proxy or a server that has gone away.
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

Proof ProofOf(const absl::Status& status, Verdict verdict) {
  const std::string reason = ReasonOf(status);
  // With a verdict, the error is a handler's own, whatever its code, and the call left nothing (C12). Without one, the
  // error is not from Hapax.
  if (reason.empty()) return verdict == Verdict::kUnsaid ? Proof::kNothing : Proof::kThisAttempt;
  for (const char* const of_the_token :
       {"INVALID_CLIENT_TOKEN", "CLIENT_TOKEN_CONFLICT", "IDEMPOTENT_PARAMETER_MISMATCH", "CLIENT_TOKEN_EXPIRED",
        "CLIENT_TOKEN_ABANDONED"}) {
    if (reason == of_the_token) return Proof::kEveryAttempt;
  }
  switch (status.code()) {
    // A failed write of the store may still become durable, and an unreadable store may hold an effect. After an
    // internal error the state is unknown.
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return Proof::kNothing;
    default:
      return Proof::kThisAttempt;  // C12: a refused call left nothing.
  }
}

// Whether a failure is of one server or of the way to it.
bool IsServersOwn(absl::StatusCode code, Verdict verdict) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kDeadlineExceeded ||
         (verdict == Verdict::kUnsaid && MayPass(code));
}

Verdict VerdictOf(const Metadata& metadata) {
  const auto found =
      std::find_if(metadata.begin(), metadata.end(), [](const auto& entry) { return entry.first == kVerdictMetadata; });
  if (found == metadata.end()) return Verdict::kUnsaid;
  if (found->second == "same-token") return Verdict::kSameToken;
  return found->second == "new-token" ? Verdict::kNewToken : Verdict::kNever;
}

}  // namespace

RetryAdvice AdviceFor(const AttemptEnd& end) {
  const Verdict verdict = VerdictOf(end.metadata);
  const std::optional<absl::Duration> delay = RetryInfoOf(end.status);
  const bool retry =
      verdict == Verdict::kUnsaid ? delay.has_value() || MayPass(end.status.code()) : verdict == Verdict::kSameToken;
  return {.verdict = verdict,
          .retry = retry,
          .elsewhere = retry && IsServersOwn(end.status.code(), verdict),
          .delay = delay.value_or(absl::ZeroDuration()),
          .proof = end.sent ? ProofOf(end.status, verdict) : Proof::kThisAttempt};
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
