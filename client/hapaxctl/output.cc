#include "hapax/client/hapaxctl/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/json.h"
#include "hapax/client/hapaxctl/table.h"

namespace hapax::ctl {

absl::StatusOr<std::string> Rendered(const google::protobuf::Message& message, Format format) {
  if (format == Format::kTable) return ToTable(message);
  absl::StatusOr<std::string> json = ToJson(message);
  if (json.ok()) json->push_back('\n');
  return json;
}

absl::Status WriteToStdout(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the result cannot be written: ", std::strerror(errno)));
}

}  // namespace hapax::ctl
