#ifndef HAPAX_CLIENT_CALL_ERROR_H_
#define HAPAX_CLIENT_CALL_ERROR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hapax::client {

// Returns the reason why the server refused a call, such as `IMAGE_NOT_FOUND`. It is the reason of the
// google.rpc.ErrorInfo with domain `hapax` (docs/errors.md). Empty if there is none, since the error comes from the
// network, a proxy, or gRPC.
[[nodiscard]] std::string ReasonOf(const absl::Status& status);

// A request field that the server rejected, from a google.rpc.BadRequest.
struct FieldViolation {
  std::string field;        // Path from the request message, in proto spelling.
  std::string description;  // What is allowed.
};
[[nodiscard]] std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_ERROR_H_
