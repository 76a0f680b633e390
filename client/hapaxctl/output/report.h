#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_REPORT_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_REPORT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hapax/client/call/caller.h"

namespace hapax::ctl {

// Output to stderr.

// Writes `hapaxctl: ` and the line. Newlines and other control characters become blanks.
void Say(const std::string& line);

// `run-instances: executed; client token T; 2 attempts`.
[[nodiscard]] std::string OutcomeLine(const std::string& subject, const client::CallInfo& info);

// `run-instances: IMAGE_NOT_FOUND: no such image`, and a line for each wrong field that the message does not name.
[[nodiscard]] std::vector<std::string> ErrorLines(const std::string& subject, const absl::Status& status);

// The command line to run again, quoted for a shell, with the token but without an API key.
[[nodiscard]] std::string RerunLine(const std::vector<std::string>& command_line, const std::string& token);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_REPORT_H_
