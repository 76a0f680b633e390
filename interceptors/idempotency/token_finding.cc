#include "hapax/interceptors/idempotency/token_finding.h"

#include <optional>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/refusal_bounds.h"

namespace hapax {

namespace {

// Tolerated error of a client's clock. A token from the future would be kept until its time has come.
constexpr absl::Duration kMaxAhead = absl::Hours(24);

}  // namespace

absl::StatusOr<TokenFinding> LookUp(const ReadTransaction& txn, const TokenKey& key, const UnaryCall& call,
                                    const TokenPolicy& policy, const TokenTime& time) {
  HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::TokenRecord> record, FindToken(txn, key));
  switch (record.has_value() ? StateAt(*record, time.Now()) : TokenState::kFree) {
    case TokenState::kFree:
      return TokenFinding{.finding = FindByAge(key.token, policy.RetentionOf(*call.method().rule), policy, time)};
    case TokenState::kExpired:
      return TokenFinding{.finding = record->has_fingerprint() ? Finding::kExpiring : Finding::kExpired};
    case TokenState::kAbandoned:
      return TokenFinding{.finding = Finding::kAbandoned};
    case TokenState::kExecuted:
      break;
  }
  if (record->method() != call.method().name) {
    return TokenFinding{.finding = Finding::kOtherParameters, .record = *std::move(record)};
  }
  HAPAX_ASSIGN_OR_RETURN(std::vector<std::string> differing,
                         DifferingFields(record->fingerprint(), call.method(), *call.request, call.request_bytes()));
  return TokenFinding{.finding = differing.empty() ? Finding::kSameParameters : Finding::kOtherParameters,
                      .record = *std::move(record),
                      .differing = std::move(differing)};
}

Finding FindByAge(std::string_view token, absl::Duration retention, const TokenPolicy& policy, const TokenTime& time) {
  const std::optional<absl::Time> made = TimeOfToken(token);
  if (!made.has_value()) return Finding::kFree;
  if (*made <= policy.forgotten_until || time.ForAge() - *made >= retention) return Finding::kExpired;
  return *made - time.Latest() > kMaxAhead ? Finding::kTooNew : Finding::kFree;
}

absl::Status RefuseExpired() {
  return Refuse(Reason::kClientTokenExpired,
                "the client token is older than replies are kept, so what it did is not known any more; find out by "
                "other means whether it took effect before a new token is used");
}

absl::Status RefuseAbandoned() {
  return Refuse(Reason::kClientTokenAbandoned,
                "the client token was abandoned; nothing was or will be executed with it");
}

absl::Status RefuseTooNew() {
  return Refuse(Reason::kInvalidClientToken,
                "the client token, a UUID of version 7, says that it was made more than a day from now by the server's "
                "clock; nothing was executed with it");
}

absl::Status RefuseMismatch(const TokenFinding& found, const UnaryCall& call) {
  // The message begins with EC2's name for the error, for readers who search for it.
  std::string message = "IdempotentParameterMismatch: the client token was used before, ";
  if (found.differing.empty()) {
    message += "with " + found.record.method();
    return Refuse(
        Reason::kIdempotentParameterMismatch, message,
        {{.field = call.method().rule->token_field().name(), .description = "names an effect of another method"}});
  }
  message += "with other values of " + JoinNames(found.differing);
  std::vector<FieldViolation> violations;
  for (const std::string& field : found.differing) {
    violations.push_back({.field = field, .description = "differs from the first attempt with this token"});
  }
  return Refuse(Reason::kIdempotentParameterMismatch, message, std::move(violations));
}

}  // namespace hapax
