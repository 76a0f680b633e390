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
  std::string field;        // Path from the request message, in proto spelling.
  std::string description;  // What is allowed; never the value.
};

// An error with the reason's code, and its google.rpc details as payloads of the status: ErrorInfo
// always, RetryInfo when waiting helps (reason.h), BadRequest when fields are named.
[[nodiscard]] absl::Status Refuse(Reason reason, std::string_view message, std::vector<FieldViolation> violations = {});

// Refuse with a RetryInfo that says this.
[[nodiscard]] absl::Status RefuseFor(absl::Duration retry_delay, Reason reason, std::string_view message);

// Refuses because of one field: the message reads "<field>: <what is allowed>", and BadRequest has the same.
[[nodiscard]] absl::Status RefuseField(Reason reason, std::string_view field, std::string_view allowed);

// RefuseField that shows the value too: "<field> "<value>": <what is allowed>". Not for secrets or tokens.
// A long value is cut, and what is not printable is escaped.
[[nodiscard]] absl::Status RefuseValue(Reason reason, std::string_view field, std::string_view value,
                                       std::string_view allowed);

// RefuseField with INVALID_PARAMETER.
[[nodiscard]] absl::Status RefuseParameter(std::string_view field, std::string_view allowed);

// A reason of a hosted service's own, such as {"payments.example.com", "INSUFFICIENT_FUNDS", kFailedPrecondition}.
struct OwnReason {
  std::string_view domain;  // Of google.rpc.ErrorInfo: a name that the service's owner has, and never `hapax`.
  std::string_view reason;  // UPPER_SNAKE_CASE, at most 63 characters; one of a fixed list, since metrics count by it.
  absl::StatusCode code = absl::StatusCode::kFailedPrecondition;
  RetryVerdict verdict = RetryVerdict::kNever;
  // As google.rpc.RetryInfo; zero where waiting does not help.
  absl::Duration retry_delay = absl::ZeroDuration();
};

// As Refuse, for a handler: the client gets the domain, the reason, and the verdict as `hapax-retry`.
[[nodiscard]] absl::Status Refuse(const OwnReason& reason, std::string_view message,
                                  std::vector<FieldViolation> violations = {});

// The reason of a google.rpc.ErrorInfo with another domain than Hapax's, if the status has one.
[[nodiscard]] std::optional<std::string> OwnReasonOf(const absl::Status& status);

// The reason that Refuse gave the status, if one did.
[[nodiscard]] std::optional<Reason> ReasonOf(const absl::Status& status);

// An error of a handler's own code, whatever its code: ToRefusal leaves it as it is, and takes it for nobody else's. No
// effect for an error of the store's that the handler passed on (store_error.h), nor for what Refuse made.
[[nodiscard]] absl::Status HandlersError(absl::Status status);

// An error as a client may see it. A store's (store.h) become TOKEN_STORE_UNAVAILABLE (UNAVAILABLE),
// TOKEN_RECORD_CORRUPT (DATA_LOSS) and OVERLOADED (RESOURCE_EXHAUSTED), a fault of the server's (INTERNAL, UNKNOWN)
// becomes INTERNAL; their text, which may name files, is kept from clients (CauseOf). A handler's (HandlersError), a
// status that has a reason, and any other code, come back as they are.
[[nodiscard]] absl::Status ToRefusal(absl::Status status);

// For the log: the text of the error that ToRefusal made this one of; empty when it made none.
[[nodiscard]] std::string CauseOf(const absl::Status& status);

// What a client should do after this error: by its reason, or what Refuse was told; without one, same-token where there
// is a RetryInfo, else by its code, where only an error of the server's or of the network's is worth another attempt.
[[nodiscard]] RetryVerdict VerdictOf(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REFUSAL_H_
