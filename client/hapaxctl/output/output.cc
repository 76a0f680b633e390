#include "hapax/client/hapaxctl/output/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/output/json.h"
#include "hapax/client/hapaxctl/output/json_value.h"
#include "hapax/client/hapaxctl/output/table.h"
#include "hapax/client/hapaxctl/output/text.h"

namespace hapax::ctl {

namespace {

constexpr char kNextPage[] = "nextPageToken";

absl::StatusOr<JsonValue> JsonOf(const google::protobuf::Message& message) {
  const absl::StatusOr<std::string> json = ToJson(message);
  return json.ok() ? ParseJson(*json) : json.status();
}

// The token of the next page comes last; the last page has none.
std::string ReplyText(const JsonValue& reply) {
  JsonValue::Object rest;
  std::string next;
  for (const JsonMember& member : *reply.object()) {
    if (member.name == kNextPage) {
      next = *member.value.text();
    } else {
      rest.push_back(member);
    }
  }
  return ToText(JsonValue(std::move(rest))) + (next.empty() ? "" : absl::StrCat("NEXTTOKEN\t", next, "\n"));
}

}  // namespace

absl::StatusOr<std::string> Rendered(const google::protobuf::Message& message, Format format) {
  if (format == Format::kTable) return ToTable(message);
  if (format == Format::kText) {
    const absl::StatusOr<JsonValue> reply = JsonOf(message);
    return reply.ok() ? absl::StatusOr<std::string>(ReplyText(*reply)) : reply.status();
  }
  absl::StatusOr<std::string> json = ToJson(message);
  if (json.ok()) json->push_back('\n');
  return json;
}

absl::StatusOr<std::string> RenderedByQuery(const google::protobuf::Message& message, const Query& query,
                                            Format format) {
  if (format == Format::kTable) return absl::InvalidArgumentError("--query: goes with --output json or text");
  const absl::StatusOr<JsonValue> reply = JsonOf(message);
  if (!reply.ok()) return reply.status();
  const absl::StatusOr<JsonValue> found = query.Search(*reply);
  if (!found.ok()) return absl::InvalidArgumentError(absl::StrCat("--query: ", found.status().message()));
  return format == Format::kText ? ToText(*found) : JsonLines(*found) + "\n";
}

absl::Status WriteToStdout(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the result cannot be written: ", std::strerror(errno)));
}

}  // namespace hapax::ctl
