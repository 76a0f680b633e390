#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_OUTPUT_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_OUTPUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/client/hapaxctl/flags/globals.h"

namespace hapax::ctl {

// stdout, which holds the result and nothing else.

// The message as text. It ends with a newline unless it is empty.
[[nodiscard]] absl::StatusOr<std::string> Rendered(const google::protobuf::Message& message, Format format);
// The result of the query on the message's JSON, as JSON or text.
// Errors: INVALID_ARGUMENT, wrong arguments of a function, or the format is a table.
[[nodiscard]] absl::StatusOr<std::string> RenderedByQuery(const google::protobuf::Message& message, const Query& query,
                                                          Format format);

// Writes and flushes. Errors: INTERNAL, part of it may not have been written.
[[nodiscard]] absl::Status WriteToStdout(const std::string& text);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_OUTPUT_H_
