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
// always, BadRequest when fields are named.
[[nodiscard]] absl::Status Refuse(Reason reason, std::string_view message, std::vector<FieldViolation> violations = {});

// Refuses because of one field: the message reads "<field>: <what is allowed>", and BadRequest has the same.
[[nodiscard]] absl::Status RefuseField(Reason reason, std::string_view field, std::string_view allowed);

// RefuseField that shows the value too: "<field> "<value>": <what is allowed>". Not for secrets or tokens.
// A long value is cut, and what is not printable is escaped.
[[nodiscard]] absl::Status RefuseValue(Reason reason, std::string_view field, std::string_view value,
                                       std::string_view allowed);

// RefuseField with INVALID_PARAMETER.
[[nodiscard]] absl::Status RefuseParameter(std::string_view field, std::string_view allowed);

// OVERLOADED, with a google.rpc.RetryInfo.
[[nodiscard]] absl::Status RefuseOverloaded(std::string_view message, absl::Duration retry_delay);

// The reason that Refuse gave the status, if one did.
[[nodiscard]] std::optional<Reason> ReasonOf(const absl::Status& status);

// A store's error (store.h) as the refusal that a client may see: UNAVAILABLE is TOKEN_STORE_UNAVAILABLE,
// DATA_LOSS is TOKEN_RECORD_CORRUPT, RESOURCE_EXHAUSTED is OVERLOADED; the text, which may name files,
// stays behind. A status that has a reason, and any other code, comes back as it is.
[[nodiscard]] absl::Status RefuseForStore(absl::Status status);

// What a client should do after this error: by its reason; without one by its code, where only an error
// of the server's or of the network's is worth another attempt.
[[nodiscard]] RetryVerdict VerdictOf(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REFUSAL_H_
