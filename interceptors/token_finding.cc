#include "hapax/interceptors/token_finding.h"

#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "hapax/interceptors/fingerprint.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/token_policy.h"
#include "hapax/storage/status_macros.h"

namespace hapax {

absl::StatusOr<TokenFinding> LookUp(const ReadTransaction& txn, const TokenKey& key, const UnaryCall& call,
                                    absl::Duration age_limit, absl::Time now) {
  HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::TokenRecord> record, FindToken(txn, key));
  switch (record.has_value() ? StateAt(*record, now) : TokenState::kFree) {
    case TokenState::kFree:
      return TokenFinding{.finding = IsTooOld(key.token, age_limit, now) ? Finding::kExpired : Finding::kFree};
    case TokenState::kExpired:
      return TokenFinding{.finding = Finding::kExpired};
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

bool IsTooOld(std::string_view token, absl::Duration age_limit, absl::Time now) {
  const std::optional<absl::Time> made = TimeOfToken(token);
  return made.has_value() && now - *made >= age_limit;
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

absl::Status RefuseMismatch(const TokenFinding& found, const UnaryCall& call) {
  // EC2's own name for the error comes first, for those who look for it in the text.
  std::string message = "IdempotentParameterMismatch: the client token was used before, ";
  if (found.differing.empty()) {
    message += "with " + found.record.method();
    return Refuse(
        Reason::kIdempotentParameterMismatch, message,
        {{.field = call.method().rule->token_field().name(), .description = "names an effect of another method"}});
  }
  message += "with other values of " + absl::StrJoin(found.differing, ", ");
  std::vector<FieldViolation> violations;
  for (const std::string& field : found.differing) {
    violations.push_back({.field = field, .description = "differs from the first attempt with this token"});
  }
  return Refuse(Reason::kIdempotentParameterMismatch, message, std::move(violations));
}

}  // namespace hapax
