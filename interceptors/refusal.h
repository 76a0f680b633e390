#ifndef HAPAX_INTERCEPTORS_REFUSAL_H_
#define HAPAX_INTERCEPTORS_REFUSAL_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/interceptors/reason.h"

namespace hapax {

// A wrong request field, for google.rpc.BadRequest.
struct FieldViolation {
  std::string field;        // The path from the request message, in proto spelling.
  std::string description;  // What is allowed; never the value.
};

// Returns an error with the reason's code. Its google.rpc details are payloads of the status: ErrorInfo always,
// RetryInfo if waiting helps (reason.h), BadRequest if fields are named.
[[nodiscard]] absl::Status Refuse(Reason reason, std::string_view message, std::vector<FieldViolation> violations = {});

// Like Refuse, with this delay as RetryInfo.
[[nodiscard]] absl::Status RefuseFor(absl::Duration retry_delay, Reason reason, std::string_view message);

// Refuses because of one field. The message reads "<field>: <what is allowed>", and BadRequest contains the same.
[[nodiscard]] absl::Status RefuseField(Reason reason, std::string_view field, std::string_view allowed);

// Like RefuseField, but shows the value: "<field> "<value>": <what is allowed>". A long value is cut, and unprintable
// characters are escaped. Not for secrets or tokens.
[[nodiscard]] absl::Status RefuseValue(Reason reason, std::string_view field, std::string_view value,
                                       std::string_view allowed);

// Calls RefuseField with INVALID_PARAMETER.
[[nodiscard]] absl::Status RefuseParameter(std::string_view field, std::string_view allowed);

// A reason that a hosted service defines, such as {"payments.example.com", "INSUFFICIENT_FUNDS", kFailedPrecondition}.
struct OwnReason {
  std::string_view domain;  // Domain of google.rpc.ErrorInfo: a name that the service's owner controls, never `hapax`.
  // UPPER_SNAKE_CASE, at most 63 characters. It is a label of metrics, so it must come from a fixed list.
  std::string_view reason;
  absl::StatusCode code = absl::StatusCode::kFailedPrecondition;
  RetryVerdict verdict = RetryVerdict::kNever;
  // Sent as google.rpc.RetryInfo. Zero if waiting does not help.
  absl::Duration retry_delay = absl::ZeroDuration();
};

// Like Refuse, for a handler. The client receives the domain, the reason, and the verdict as `hapax-retry`.
[[nodiscard]] absl::Status Refuse(const OwnReason& reason, std::string_view message,
                                  std::vector<FieldViolation> violations = {});

// Returns the reason of a google.rpc.ErrorInfo whose domain is not Hapax's, if the status has one.
[[nodiscard]] std::optional<std::string> OwnReasonOf(const absl::Status& status);

// Returns the reason that Refuse gave the status, if one did.
[[nodiscard]] std::optional<Reason> ReasonOf(const absl::Status& status);

// Marks an error as the handler's own, whatever its code, so that ToRefusal returns it unchanged. It does not mark an
// error of the store that the handler passed on (store_error.h), nor an error made by Refuse.
[[nodiscard]] absl::Status HandlersError(absl::Status status);

// Returns the error as a client may see it. Errors of the store (store.h): UNAVAILABLE becomes TOKEN_STORE_UNAVAILABLE,
// DATA_LOSS becomes TOKEN_RECORD_CORRUPT, RESOURCE_EXHAUSTED becomes OVERLOADED. A fault of the server (INTERNAL,
// UNKNOWN) becomes INTERNAL.
//
// Their text may name files, so clients do not receive it (CauseOf). Handlers' errors (HandlersError), errors with a
// reason, and all other codes are returned unchanged.
[[nodiscard]] absl::Status ToRefusal(absl::Status status);

// Returns the text, for the log, of the error that ToRefusal replaced; empty if it replaced none.
[[nodiscard]] std::string CauseOf(const absl::Status& status);

// Returns what a client should do after this error, by its reason or by the verdict given to Refuse. Without either, an
// error with RetryInfo is same-token. All others go by their code: only errors of the server or the network allow
// another attempt.
[[nodiscard]] RetryVerdict VerdictOf(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REFUSAL_H_
